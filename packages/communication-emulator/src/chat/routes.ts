import { decodePath, type RawRequest } from '../raw-request.ts'

/** Scopes of chat. Each one permits everything that the ones before it do. */
const scopeOrder = ['chat.join.limited', 'chat.join', 'chat'] as const

export type ChatScope = (typeof scopeOrder)[number]

/** Routes with the minimum scope that permits them. Source of the scopes: the documentation of access tokens. */
const table = [
  ['POST', '', 'createChatThread', 'chat'],
  ['GET', '', 'listChatThreads', 'chat.join.limited'],
  ['GET', '/{threadId}', 'getChatThreadProperties', 'chat.join.limited'],
  ['PATCH', '/{threadId}', 'updateChatThreadProperties', 'chat'],
  ['DELETE', '/{threadId}', 'deleteChatThread', 'chat'],
  ['GET', '/{threadId}/messages', 'listChatMessages', 'chat.join.limited'],
  ['POST', '/{threadId}/messages', 'sendChatMessage', 'chat.join.limited'],
  ['GET', '/{threadId}/messages/{messageId}', 'getChatMessage', 'chat.join.limited'],
  ['PATCH', '/{threadId}/messages/{messageId}', 'updateChatMessage', 'chat.join.limited'],
  ['DELETE', '/{threadId}/messages/{messageId}', 'deleteChatMessage', 'chat.join.limited'],
  ['GET', '/{threadId}/participants', 'listChatParticipants', 'chat.join.limited'],
  ['POST', '/{threadId}/participants/:add', 'addChatParticipants', 'chat.join'],
  ['POST', '/{threadId}/participants/:remove', 'removeChatParticipant', 'chat.join'],
  ['GET', '/{threadId}/readReceipts', 'listChatReadReceipts', 'chat.join.limited'],
  ['POST', '/{threadId}/readReceipts', 'sendChatReadReceipt', 'chat.join.limited'],
  ['POST', '/{threadId}/typing', 'sendTypingNotification', 'chat.join.limited'],
] as const

export type ChatOperation = (typeof table)[number][2]

interface ChatRoute {
  readonly method: string
  readonly pattern: RegExp
  readonly operation: ChatOperation
  /** Minimum scope that permits it. */
  readonly scope: ChatScope
}

// The JavaScript SDK escapes thread ids, that for Java does not: patterns are for decoded paths.
const routes: readonly ChatRoute[] = table.map(([method, path, operation, scope]) => {
  const pattern = path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')
  return { method, pattern: new RegExp(`^/{1,2}chat/threads${pattern}$`, 'i'), operation, scope }
})

export const chatOperations: readonly ChatOperation[] = routes.map(({ operation }) => operation)

export interface ChatMatch {
  readonly route: ChatRoute | undefined
  /** Methods of the routes with this path, if none has the method of the request. */
  readonly allowed: readonly string[]
  readonly threadId?: string
  readonly messageId?: string
}

/** Finds the route of a request, before any check. */
export function matchChatRoute({ method, path: rawPath }: RawRequest): ChatMatch {
  const path = decodePath(rawPath)
  const candidates = routes.filter(({ pattern }) => pattern.test(path))
  const route = candidates.find((candidate) => candidate.method === method)
  if (!route) return { route, allowed: candidates.map((candidate) => candidate.method) }
  return { route, allowed: [], ...route.pattern.exec(path)?.groups }
}

export function isPermitted(scopes: readonly string[], required: ChatScope): boolean {
  return scopeOrder.slice(scopeOrder.indexOf(required)).some((scope) => scopes.includes(scope))
}
