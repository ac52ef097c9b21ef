import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../clock.ts'
import type { FaultPlan } from '../../fault-plan.ts'
import type { RawRequest, RawResponse } from '../../raw-request.ts'
import type { RequestLog } from '../../request-log.ts'
import type { Resource } from '../../resource.ts'
import type { ChatEvent } from '../chat-event.ts'
import type { ChatAuthentication } from '../chat-user.ts'

export interface RealTimeOptions {
  readonly authenticate: ChatAuthentication
  readonly clock: Clock
  readonly faults: FaultPlan
  readonly requests: RequestLog
}

/** Connection of a user who receives events. */
export interface ListedConnection {
  readonly communicationUserId: string
  /** Name of the resource. */
  readonly resource: string
  readonly connectedAt: Date
}

export type RealTime = ReturnType<typeof createRealTime>

/** Operations of the real-time routes. */
export const realTimeOperations = [] as const

/** Delivers events to connected users, as the service's signaling does. */
export function createRealTime(_options: RealTimeOptions) {
  /** Returns the operation of a request; undefined if it is none of real time. */
  function getOperation(_request: RawRequest): string | undefined {
    return undefined
  }

  async function handle(_request: RawRequest, _resource: Resource): Promise<RawResponse> {
    return { status: 404 }
  }

  function upgrade(_request: IncomingMessage, socket: Duplex, _head: Buffer, _resource: Resource): void {
    socket.destroy()
  }

  /** Sends an event to its connected recipients. Returns before they respond. */
  function publish(_event: ChatEvent): void {}

  function connections(): ListedConnection[] {
    return []
  }

  /** Closes the connections of a user, and returns their number. */
  function disconnect(_communicationUserId: string): number {
    return 0
  }

  /** Closes the connections whose token is no longer valid. */
  function closeRejected(): void {}

  /** Closes all connections. */
  function stop(): void {}

  return { getOperation, handle, upgrade, publish, connections, disconnect, closeRejected, stop }
}
