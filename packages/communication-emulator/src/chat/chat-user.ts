import type { Introspection } from '../identity/token-introspection.ts'
import type { Resource } from '../resource.ts'
import { ChatError, unauthorized } from './chat-error.ts'

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
  /** Returns the user of a token of the resource. Throws the service's error if there is none. */
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

const chatScopes = ['chat', 'chat.join', 'chat.join.limited']

// guess(chat-scope): the status; the text is that for a user who is not a participant.
/** Throws the service's error unless the user's token has a scope of chat. */
export function checkChatScope({ scopes }: ChatUser): void {
  if (scopes.some((scope) => chatScopes.includes(scope))) return
  throw new ChatError(403, 'Forbidden', {
    message: "The initiator doesn't have the permission to perform the requested operation.",
    explanation: {
      code: 'ScopeMissing',
      message: `The access token needs one of the scopes ${chatScopes.join(', ')}.`,
    },
  })
}
