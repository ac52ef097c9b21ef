import { RoleAssignment } from '@pulumi/azure-native/authorization/index.js'
import { getUserAssignedIdentityOutput, UserAssignedIdentity } from '@pulumi/azure-native/managedidentity/index.js'
import { ComponentResource, output, type ComponentResourceOptions, type Input, type Output } from '@pulumi/pulumi'

/** Ids of Azure's built-in roles. */
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

/** The site's managed identity and its roles, which exist before the site first starts. */
export class SiteIdentity extends ComponentResource {
  readonly userAssignedIdentity: UserAssignedIdentity
  readonly assignments: readonly RoleAssignment[]
  readonly clientId: Output<string>

  constructor(name: string, { resourceGroupName, tags, grants }: SiteIdentityArgs, options?: ComponentResourceOptions) {
    super('acs-kit:identity:SiteIdentity', name, {}, options)
    this.userAssignedIdentity = new UserAssignedIdentity(name, { resourceGroupName, tags }, { parent: this })
    // In the preview of any change to the identity, even of a tag, its own outputs are unknown, so that azure-native would
    // preview a replacement of all roles.
    const { clientId, principalId } = getUserAssignedIdentityOutput(
      { resourceGroupName, resourceName: this.userAssignedIdentity.name },
      { parent: this },
    )
    this.assignments = grants.map(
      ({ name: grant, role, scope }) =>
        new RoleAssignment(
          `${name}-${grant}`,
          {
            scope,
            principalId,
            // Otherwise Azure looks the identity up in the directory, which may not contain it yet.
            principalType: 'ServicePrincipal',
            roleDefinitionId: output(scope).apply((id) => roleDefinitionId(id, roles[role])),
          },
          { parent: this },
        ),
    )
    this.clientId = clientId
    this.registerOutputs({
      userAssignedIdentity: this.userAssignedIdentity,
      assignments: this.assignments,
      id: this.userAssignedIdentity.id,
      clientId: this.clientId,
    })
  }
}

function roleDefinitionId(scope: string, role: string): string {
  const subscription = /^\/subscriptions\/[^/]+/i.exec(scope)?.[0] ?? ''
  return `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`
}
