import { parseCommunicationUserId } from '../identity/communication-user-id.ts'
import type { Introspection } from '../identity/token-introspection.ts'
import type { Resource } from '../resource.ts'
import { forbidden, unauthorized } from './chat-error.ts'
import { isPermitted, type ChatScope } from './routes.ts'

/** User of a valid access token. */
export interface ChatUser {
  readonly communicationUserId: string
  readonly scopes: readonly string[]
  readonly token: string
  readonly expiresOn: Date
}

export type ChatAuthentication = ReturnType<typeof createChatAuthentication>

/** Authenticates the users of the chat routes with their access tokens. */
export function createChatAuthentication(introspect: (token: string) => Introspection) {
  /** Returns the user of a token. Throws the service's error if the token is missing, invalid or of another resource. */
  return function authenticate(token: string | undefined, resource: Resource): ChatUser {
    if (token === undefined) throw unauthorized('TokenMissing', 'The request has no access token of a user.')
    const { state, communicationUserId, scopes = [], expiresOn, resource: owner } = introspect(token)
    if (state !== 'valid' || communicationUserId === undefined || expiresOn === undefined) {
      throw unauthorized('TokenInvalid', `The access token is ${state}: issue a new one.`)
    }
    if (owner !== resource.name) {
      throw unauthorized('TokenOfAnotherResource', `The access token belongs to the resource ${owner}.`)
    }
    return { communicationUserId, scopes, token, expiresOn }
  }
}

/** Throws the service's error unless the resource serves chat to the user, with a token that has at least a scope. */
export function checkPermission(
  { communicationUserId, scopes }: ChatUser,
  resource: Resource,
  { operation, scope }: { operation: string; scope: ChatScope },
): void {
  // guess(public-access)
  if (resource.restriction.isPublicAccessDisabled) {
    throw forbidden('PublicAccessDisabled', 'Public network access to the resource is disabled.')
  }
  // differs(teams-chat)
  if (!parseCommunicationUserId(communicationUserId)) {
    throw forbidden('TeamsUser', 'The emulator does not serve chat of Teams users.')
  }
  // guess(chat-scope): the documentation of access tokens has the scopes of each operation, but not the response without them.
  if (!isPermitted(scopes, scope)) {
    throw forbidden('ScopeMissing', `The token has the scopes ${scopes.join(', ')}: ${operation} requires ${scope}.`)
  }
}
