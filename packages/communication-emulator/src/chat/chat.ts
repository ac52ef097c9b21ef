import type { Clock } from '../clock.ts'
import { getCorsHeaders, isPreflight } from '../cors.ts'
import type { FaultPlan } from '../fault-plan.ts'
import type { Identities } from '../identity/identities.ts'
import type { Introspection } from '../identity/token-introspection.ts'
import type { QuotaCounter } from '../quotas.ts'
import { getHeader, type RawRequest } from '../raw-request.ts'
import type { RequestLog } from '../request-log.ts'
import type { Resource } from '../resource.ts'
import type { Store } from '../store.ts'
import { createChatAdministration } from './chat-administration.ts'
import { createChatEvents } from './chat-events.ts'
import { createChatHandlers } from './chat-handlers.ts'
import { createChatMessages } from './chat-messages.ts'
import { createChatPlane, type ChatTarget } from './chat-plane.ts'
import { createChatThreads } from './chat-threads.ts'
import { createChatAuthentication } from './chat-user.ts'
import { createMessageOperations } from './message-operations.ts'
import { createRealTime } from './real-time/real-time.ts'
import { isSignaling } from './real-time/signaling.ts'
import { createRetention } from './retention.ts'
import { createThreadOperations } from './thread-operations.ts'

export interface ChatOptions {
  readonly store: Store
  readonly clock: Clock
  readonly quotas: QuotaCounter
  readonly faults: FaultPlan
  readonly requests: RequestLog
  readonly identities: Identities
  readonly introspect: (token: string) => Introspection
  /** Whether unknown members of bodies are rejected. */
  readonly strict: boolean
}

export type Chat = ReturnType<typeof createChat>

/** The paths of chat: its routes, and those of its real-time signaling. An endpoint that ends in a slash doubles the first one. */
const ownPath = /^\/{1,2}(?:chat|v4|v3\/registrations|socket\.io\/1)(?:\/|$)/i

export function isChat({ path }: RawRequest): boolean {
  return ownPath.test(path)
}

/** Returns the headers of every response to a request. Source: recordings of the JavaScript SDK in browsers. */
export function getChatHeaders(request: RawRequest): Record<string, string> {
  if (getHeader(request.headers, 'origin') === undefined) return {}
  return { ...getCorsHeaders(request), 'Access-Control-Expose-Headers': 'Location' }
}

/** Creates the chat service of all resources. */
export function createChat({ store, clock, quotas, faults, requests, identities, introspect, strict }: ChatOptions) {
  const threads = createChatThreads(store)
  const messages = createChatMessages(store)
  const events = createChatEvents((event) => realTime.publish(event))
  const threadOperations = createThreadOperations({ store, clock, threads, messages, events })
  const messageOperations = createMessageOperations({ store, clock, threads, messages, events })
  // Created before real time: a move of the clock sends the deletions first, and then closes connections with expired tokens.
  const retention = createRetention(clock, threads, threadOperations)
  const authenticate = createChatAuthentication(introspect)
  const realTime = createRealTime({ authenticate, clock, faults, requests })
  const shared = { identities, threads, messages, threadOperations, messageOperations }
  const handlers = createChatHandlers({ ...shared, strict })
  const plane = createChatPlane({ authenticate, quotas, handlers, threadOperations })
  store.onTokensRejected = realTime.closeRejected
  const administration = createChatAdministration({
    ...shared,
    events,
    realTime,
    applyRetention: retention.apply,
  })

  /** Returns the operation of a request, and the function that responds to it. */
  function route(request: RawRequest, resource: Resource): ChatTarget {
    if (isPreflight(request)) return { operation: undefined, handle: async () => ({ status: 204 }) }
    const { operation, handle } = isSignaling(request)
      ? { operation: realTime.getOperation(request), handle: () => realTime.handle(request, resource) }
      : plane.route(request, resource)
    return {
      operation,
      async handle() {
        retention.apply()
        return handle()
      },
    }
  }

  /** Deletes all threads, without events, and closes all connections. */
  function clear(): void {
    realTime.closeAll()
    threads.clear()
    events.clear()
  }

  function stop(): void {
    retention.stop()
    events.stop()
    realTime.closeAll()
  }

  return { administration, route, upgrade: realTime.upgrade, clear, stop }
}
