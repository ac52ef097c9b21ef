import { TokenError } from '@acs-kit/token-client'
import type { Notice } from './notice.ts'

/** Error of Azure's clients, whose class is loaded with the chat. */
interface RestError extends Error {
  readonly statusCode?: number
  readonly request?: { readonly url: string }
}

type Explanation = Pick<Notice, 'text' | 'remedy' | 'link'>

const tokenErrors: Partial<Record<TokenError['code'], Explanation>> = {
  'network-failed': { text: 'The token service is unreachable.', remedy: 'Check your network connection.' },
  timeout: { text: 'The token service did not respond in time.', remedy: 'Try again in a moment.' },
  'sign-in-failed': { text: 'Your sign-in has expired.', remedy: 'Sign out and sign in again.' },
  'rate-limited': { text: 'Too many requests.', remedy: 'Try again in a moment.' },
  'scope-not-allowed': { text: 'You are not permitted to use this scope.', remedy: 'Choose other scopes.' },
  'communication-unavailable': {
    text: 'Azure Communication Services is unreachable.',
    remedy: 'Try again in a moment.',
  },
  invalidated: { text: 'The token was replaced in the meantime.', remedy: 'Try again.' },
}

const chatErrors: Readonly<Record<number, Explanation>> = {
  400: { text: 'Chat rejected the request as invalid.', remedy: 'Check the identity or the text.' },
  401: { text: 'Chat rejected the token.', remedy: 'Refresh the token.' },
  403: {
    text: 'Chat denied access.',
    remedy: 'You are no longer a participant, or the token does not permit it.',
  },
  404: { text: 'The chat or message does not exist.', remedy: 'It may have been deleted.' },
  429: { text: 'Too many chat requests.', remedy: 'Try again in a moment.' },
}

/** Returns what is wrong, and what the user can do about it. */
export function explainError(error: unknown): Explanation {
  if (error instanceof TokenError) return tokenErrors[error.code] ?? { text: error.message }
  if (isRestError(error)) return explainChatError(error)
  return { text: (error as Error).message }
}

/** Returns the status of chat's response, or undefined for another error. */
export function getChatStatus(error: unknown): number | undefined {
  return isRestError(error) ? error.statusCode : undefined
}

function isRestError(error: unknown): error is RestError {
  return error instanceof Error && error.name === 'RestError'
}

function explainChatError({ statusCode, request, message }: RestError): Explanation {
  if (statusCode !== undefined) {
    return (
      chatErrors[statusCode] ?? { text: `Chat failed with status ${statusCode}.`, remedy: 'Try again in a moment.' }
    )
  }
  if (!navigator.onLine) return { text: 'You are offline.', remedy: 'Check your network connection.' }
  const endpoint = request && new URL(request.url)
  if (endpoint?.hostname !== 'localhost') return { text: 'Chat is unreachable.', remedy: message }
  return {
    text: 'The browser cannot reach the emulator’s chat.',
    remedy: 'Open this page, accept the certificate, and retry:',
    link: `${endpoint.origin}/_emulator/`,
  }
}
