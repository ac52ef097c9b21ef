import { CommunicationIdentityClient, type CommunicationAccessToken } from '@azure/communication-identity'
import { requireValue, type AccessToken, type Credentials, type Driver } from './driver.ts'
import { createTeamsAssignments } from './teams-assignments.ts'

/** Uses `@azure/communication-identity`, the maintained SDK, with api-version 2023-10-01. */
export function createIdentityDriver(credentials: Credentials): Driver {
  const options = { retryOptions: { maxRetries: 0 } }
  const client =
    'accessKey' in credentials
      ? new CommunicationIdentityClient(credentials.endpoint, { key: credentials.accessKey }, options)
      : new CommunicationIdentityClient(credentials.endpoint, credentials.credential, options)
  return {
    ...createTeamsAssignments(credentials),
    async create(abortSignal) {
      const { communicationUserId } = await client.createUser({ abortSignal })
      return requireValue(communicationUserId)
    },
    async createWithToken(scopes, expiresInMinutes, abortSignal) {
      const { user, ...token } = await client.createUserAndToken([...scopes], {
        abortSignal,
        ...(expiresInMinutes !== undefined && { tokenExpiresInMinutes: expiresInMinutes }),
      })
      return { communicationUserId: requireValue(user.communicationUserId), ...toAccessToken(token) }
    },
    async issueToken(communicationUserId, scopes, expiresInMinutes, abortSignal) {
      const token = await client.getToken({ communicationUserId }, [...scopes], {
        abortSignal,
        ...(expiresInMinutes !== undefined && { tokenExpiresInMinutes: expiresInMinutes }),
      })
      return toAccessToken(token)
    },
    revokeTokens: (communicationUserId, abortSignal) => client.revokeTokens({ communicationUserId }, { abortSignal }),
    delete: (communicationUserId, abortSignal) => client.deleteUser({ communicationUserId }, { abortSignal }),
    async exchangeTeamsToken({ entraToken, clientId, userObjectId }, abortSignal) {
      const token = await client.getTokenForTeamsUser({
        teamsUserAadToken: entraToken,
        clientId,
        userObjectId,
        abortSignal,
      })
      return toAccessToken(token)
    },
  }
}

function toAccessToken({ token, expiresOn }: CommunicationAccessToken): AccessToken {
  return { token: requireValue(token), expiresOn: requireValue(expiresOn) }
}
