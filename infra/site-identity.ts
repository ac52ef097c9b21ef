import { RoleAssignment } from '@pulumi/azure-native/authorization/index.js'
import { getUserAssignedIdentityOutput, UserAssignedIdentity } from '@pulumi/azure-native/managedidentity/index.js'
import { ComponentResource, output, type ComponentResourceOptions, type Input, type Output } from '@pulumi/pulumi'

/** Built-in roles of Azure, by their ids. */
export const roles = {
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
  'Storage Blob Data Reader': '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1',
  'Communication and Email Service Owner': '09976791-48a7-449e-bb21-39d1a415f350',
} as const

export interface Grant {
  /** Logical name of the assignment. */
  readonly name: string
  readonly role: keyof typeof roles
  /** Resource id. */
  readonly scope: Input<string>
}

export interface SiteIdentityArgs {
  readonly resourceGroupName: Input<string>
  readonly tags: Readonly<Record<string, string>>
  readonly grants: readonly Grant[]
}

/** Whom the site is, with what it may do: there before the site starts for the first time. */
export class SiteIdentity extends ComponentResource {
  readonly id: Output<string>
  readonly clientId: Output<string>
  readonly assignments: readonly RoleAssignment[]

  constructor(name: string, { resourceGroupName, tags, grants }: SiteIdentityArgs, options?: ComponentResourceOptions) {
    super('acs-kit:identity:SiteIdentity', name, {}, options)
    const identity = new UserAssignedIdentity(name, { resourceGroupName, tags }, { parent: this })
    // The identity's own outputs are unknown in the preview of any change to it, even of a tag: azure-native would announce
    // that all roles are replaced.
    const { clientId, principalId } = getUserAssignedIdentityOutput(
      { resourceGroupName, resourceName: identity.name },
      { parent: this },
    )
    this.assignments = grants.map(
      ({ name: grant, role, scope }) =>
        new RoleAssignment(
          `${name}-${grant}`,
          {
            scope,
            principalId,
            // Without it, Azure looks the identity up in a directory that may not know it yet.
            principalType: 'ServicePrincipal',
            roleDefinitionId: output(scope).apply((id) => roleDefinitionId(id, roles[role])),
          },
          { parent: this },
        ),
    )
    this.id = identity.id
    this.clientId = clientId
    this.registerOutputs({ id: this.id, clientId: this.clientId })
  }
}

function roleDefinitionId(scope: string, role: string): string {
  const subscription = /^\/subscriptions\/[^/]+/i.exec(scope)?.[0] ?? ''
  return `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`
}
