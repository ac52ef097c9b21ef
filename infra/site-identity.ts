import { RoleAssignment } from '@pulumi/azure-native/authorization/roleAssignment.js'
import type { RoleDefinition } from '@pulumi/azure-native/authorization/roleDefinition.js'
import { getUserAssignedIdentity } from '@pulumi/azure-native/managedidentity/getUserAssignedIdentity.js'
import { UserAssignedIdentity } from '@pulumi/azure-native/managedidentity/userAssignedIdentity.js'
import { all, ComponentResource, output, type ComponentResourceOptions, type Input, type Output } from '@pulumi/pulumi'

/** Ids of Azure's built-in roles. */
export const roles = {
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
  'Storage Blob Data Reader': '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1',
} as const

export interface Grant {
  /** Logical name of the assignment. */
  readonly name: string
  /** Name of a built-in role, or a custom role. */
  readonly role: keyof typeof roles | RoleDefinition
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
    // preview a replacement of all roles. Unlike the function's form for outputs, `apply` keeps the dependencies while the
    // values are unknown: `pulumi up --plan` rejects dependencies that the preview lacked.
    const { clientId, principalId } = all([resourceGroupName, this.userAssignedIdentity.name]).apply(
      ([group, resourceName]) => getUserAssignedIdentity({ resourceGroupName: group, resourceName }, { parent: this }),
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
            roleDefinitionId: output([scope, typeof role === 'string' ? roles[role] : role.name]).apply(
              toRoleDefinitionId,
            ),
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

function toRoleDefinitionId([scope = '', role]: readonly string[]): string {
  const subscription = /^\/subscriptions\/[^/]+/i.exec(scope)?.[0] ?? ''
  return `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`
}
