import { getResponse } from '../error-response.ts'
import { getBearerToken } from '../identity/bearer.ts'
import type { LimitedCall, QuotaCounter } from '../quotas.ts'
import type { RawRequest, RawResponse } from '../raw-request.ts'
import type { Resource } from '../resource.ts'
import { readChatApiVersion, supportedChatVersions } from './api-versions.ts'
import { ChatError } from './chat-error.ts'
import type { createChatHandlers } from './chat-handlers.ts'
import { checkPermission, type ChatAuthentication, type ChatUser } from './chat-user.ts'
import { matchChatRoute, type ChatMatch } from './routes.ts'
import type { ThreadOperations } from './thread-operations.ts'

export interface ChatPlaneOptions {
  readonly authenticate: ChatAuthentication
  readonly quotas: QuotaCounter
  readonly handlers: ReturnType<typeof createChatHandlers>
  readonly threadOperations: ThreadOperations
}

/** The operation of a request, and the function that responds to it. */
export interface ChatTarget {
  readonly operation: string | undefined
  readonly handle: () => Promise<RawResponse>
}

/** Creates the handler of the chat routes, which authenticates users and passes their requests to the operations. */
export function createChatPlane({ authenticate, quotas, handlers, threadOperations }: ChatPlaneOptions) {
  // guess(chat-check-order): token, route, api-version, scope, thread and membership; then rate limits; then the body.
  async function handle(request: RawRequest, resource: Resource, match: ChatMatch): Promise<RawResponse> {
    const user = authenticate(getBearerToken(request), resource)
    const { communicationUserId } = user
    const response = await respond(request, resource, user, match).catch(getResponse)
    if (!match.route) return { ...response, communicationUserId }
    const headers = { ...response.headers, 'api-supported-versions': supportedChatVersions }
    return { ...response, headers, communicationUserId }
  }

  async function respond(
    request: RawRequest,
    resource: Resource,
    user: ChatUser,
    { route, allowed, threadId, messageId = '' }: ChatMatch,
  ): Promise<RawResponse> {
    if (!route) throw noRoute(request, allowed)
    const { operation } = route
    const { communicationUserId } = user
    const version = readChatApiVersion(request)
    checkPermission(user, resource, route)
    const call = { request, resource, version, communicationUserId }
    // The service also accepts another deletion of a thread.
    const orDeleted = operation === 'deleteChatThread'
    const member =
      threadId === undefined
        ? undefined
        : threadOperations.requireMember(resource.name, threadId, communicationUserId, { orDeleted })
    takeQuota({ operation, resource: resource.name, communicationUserId, ...(member && { threadId }) })
    if (operation === 'createChatThread' || operation === 'listChatThreads') return handlers[operation](call)
    return handlers[operation]({ ...call, member: member!, messageId })
  }

  /** Counts a call. Throws the service's error above a limit. */
  function takeQuota(call: LimitedCall): void {
    const retryAfterSeconds = quotas.take(call)
    if (retryAfterSeconds === undefined) return
    // guess(quota-response)
    throw new ChatError(429, 'TooManyRequests', {
      message: 'The rate limit is exceeded. Retry later.',
      headers: { 'Retry-After': String(retryAfterSeconds) },
    })
  }

  function route(request: RawRequest, resource: Resource): ChatTarget {
    const match = matchChatRoute(request)
    return { operation: match.route?.operation, handle: () => handle(request, resource, match) }
  }

  return { route }
}

// guess(chat-route)
function noRoute({ method, path }: RawRequest, allowed: readonly string[]): ChatError {
  if (allowed.length === 0) {
    const message = `The emulator does not serve ${path}.`
    return new ChatError(404, 'NotFound', { explanation: { code: 'UnknownRoute', message } })
  }
  const message = `The requested resource does not support http method '${method}'.`
  return new ChatError(405, 'MethodNotAllowed', { message, headers: { Allow: allowed.join(', ') } })
}
