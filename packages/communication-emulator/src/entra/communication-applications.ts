/** An application of Azure Communication Services in Entra ID, with permissions that users can grant. */
export interface CommunicationApplication {
  readonly uri: string
  readonly applicationId: string
  readonly permissions: readonly string[]
}

// Source: the quickstarts on Teams Phone extensibility and Entra ID authentication in MicrosoftDocs/azure-docs.

/** Azure Communication Services: tokens of Teams users, and of users of the Teams extension. */
export const teamsApplication: CommunicationApplication = {
  uri: 'https://auth.msft.communication.azure.com',
  applicationId: '1fd5118e-2576-4263-8130-9503064c837a',
  permissions: ['Teams.ManageCalls', 'Teams.ManageChats', 'TeamsExtension.ManageCalls'],
}

/** Azure Communication Services Clients: tokens of Entra ID users. */
export const clientsApplication: CommunicationApplication = {
  uri: 'https://communication.azure.com/clients',
  applicationId: '2a04943b-b6a7-4f65-8786-2bb6131b59f6',
  permissions: ['Chat', 'Chat.Join', 'Chat.Join.Limited', 'VoIP', 'VoIP.Join'],
}

/** Returns the audiences of an application's tokens. */
// guess(user-audience): whether `aud` is the URI or, as in other tokens of version 2.0, the id of the application.
export function toAudiences({ uri, applicationId }: CommunicationApplication): string[] {
  return [uri, `${uri}/`, applicationId]
}

/** Returns the permissions that `<resource>/.default` grants. */
// guess(default-scope): Entra ID grants the permissions that have consent; here, those are fixed.
export function getDefaultPermissions(resource: string): readonly string[] {
  const applications = [teamsApplication, clientsApplication]
  const application = applications.find((candidate) => toAudiences(candidate).includes(resource))
  return application?.permissions ?? ['access_as_user']
}
