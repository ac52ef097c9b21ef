import type { Clock } from '../clock.ts'
import { getCorsHeaders, isPreflight } from '../cors.ts'
import type { FaultPlan } from '../fault-plan.ts'
import type { Introspection } from '../identity/token-introspection.ts'
import type { QuotaCounter } from '../quotas.ts'
import { getHeader, type RawRequest, type RawResponse } from '../raw-request.ts'
import type { RequestLog } from '../request-log.ts'
import type { Resource } from '../resource.ts'
import type { Store } from '../store.ts'
import { createChatPlane } from './chat-plane.ts'
import { createChatAuthentication } from './chat-user.ts'
import { createRealTime } from './real-time/real-time.ts'
import { isSignaling } from './real-time/signaling.ts'

export interface ChatOptions {
  readonly store: Store
  readonly clock: Clock
  readonly quotas: QuotaCounter
  readonly faults: FaultPlan
  readonly requests: RequestLog
  readonly introspect: (token: string) => Introspection
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
export function createChat({ store, introspect, clock, faults, requests }: ChatOptions) {
  const authenticate = createChatAuthentication(introspect)
  const realTime = createRealTime({ authenticate, clock, faults, requests })
  const plane = createChatPlane({ authenticate })
  store.onTokensRejected = realTime.closeRejected

  function getOperation(request: RawRequest): string | undefined {
    return realTime.getOperation(request) ?? plane.getOperation(request)
  }

  async function handle(request: RawRequest, resource: Resource): Promise<RawResponse> {
    if (isPreflight(request)) return { status: 204 }
    return (isSignaling(request) ? realTime : plane).handle(request, resource)
  }

  return { getOperation, handle, upgrade: realTime.upgrade, stop: realTime.stop }
}
