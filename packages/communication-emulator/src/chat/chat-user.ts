import type { Introspection } from '../identity/token-introspection.ts'
import type { Resource } from '../resource.ts'
import { unauthorized } from './chat-error.ts'

/** User of a valid access token. */
export interface ChatUser {
  readonly communicationUserId: string
  readonly scopes: readonly string[]
  readonly token: string
}

export type ChatAuthentication = ReturnType<typeof createChatAuthentication>

/** Authenticates the users of the chat routes with their access tokens. */
export function createChatAuthentication(introspect: (token: string) => Introspection) {
  /** Returns the user of a token of the resource. Throws the service's error if there is none. */
  return function authenticate(token: string | undefined, resource: Resource): ChatUser {
    if (token === undefined) throw unauthorized('TokenMissing', 'The request has no access token of a user.')
    const { state, communicationUserId, scopes = [], resource: owner } = introspect(token)
    if (state !== 'valid' || communicationUserId === undefined) {
      throw unauthorized('TokenInvalid', `The access token is ${state}: issue a new one.`)
    }
    if (owner !== resource.name) {
      throw unauthorized('TokenOfAnotherResource', `The access token belongs to the resource ${owner}.`)
    }
    return { communicationUserId, scopes, token }
  }
}
