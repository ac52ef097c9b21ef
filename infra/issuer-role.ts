import { RoleDefinition } from '@pulumi/azure-native/authorization/roleDefinition.js'
import { interpolate, output, type CustomResourceOptions, type Input } from '@pulumi/pulumi'

export interface IssuerRoleArgs {
  readonly resourceGroupId: Input<string>
  readonly resourceGroupName: Input<string>
}

/**
 * Creates the role of a keyless site. ACS has no data actions: it authorizes calls for identities and tokens with the
 * actions of the resource, like those for mail (learn.microsoft.com/azure/communication-services/quickstarts/email/
 * send-email-smtp/smtp-authentication). The built-in role also permits deleting the resource, and reading and
 * regenerating its keys.
 */
export function createIssuerRole(
  name: string,
  { resourceGroupId, resourceGroupName }: IssuerRoleArgs,
  options?: CustomResourceOptions,
): RoleDefinition {
  return new RoleDefinition(
    name,
    {
      // Azure stores custom roles in the subscription, whatever their assignable scopes.
      scope: output(resourceGroupId).apply((id) => id.split('/').slice(0, 3).join('/')),
      // Unique in the tenant, which Azure requires, because the group's name is generated.
      roleName: interpolate`${resourceGroupName} token issuer`,
      description: 'Issues access tokens of Azure Communication Services and manages their identities',
      // The narrowest scope that Azure documents; the assignment is on the resource itself.
      assignableScopes: [resourceGroupId],
      permissions: [
        {
          actions: [
            'Microsoft.Communication/CommunicationServices/Read',
            'Microsoft.Communication/CommunicationServices/Write',
          ],
          notActions: [],
          dataActions: [],
          notDataActions: [],
        },
      ],
    },
    options,
  )
}
