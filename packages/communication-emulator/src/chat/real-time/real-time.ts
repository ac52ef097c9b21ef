import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../clock.ts'
import type { FaultPlan } from '../../fault-plan.ts'
import type { RequestLog } from '../../request-log.ts'
import type { Resource } from '../../resource.ts'
import type { ChatAuthentication } from '../chat-user.ts'
import { createConnectParameters } from './connect-parameters.ts'
import { createConnections } from './connections.ts'
import { createDelivery } from './delivery.ts'
import type { ListedConnection } from './listed-connection.ts'
import { createSessions, type Session } from './sessions.ts'
import { createSignaling, getSignalingOperation, signalingOperations } from './signaling.ts'
import { createSocketOpening, openSocket } from './socket-opening.ts'

export interface RealTimeOptions {
  readonly authenticate: ChatAuthentication
  readonly clock: Clock
  readonly faults: FaultPlan
  readonly requests: RequestLog
}

export type RealTime = ReturnType<typeof createRealTime>

/** Operations of the real-time routes. */
export const realTimeOperations = [...signalingOperations, openSocket] as const

/** Delivers events to connected users, as the service's signaling does. */
export function createRealTime({ authenticate, clock, faults, requests }: RealTimeOptions) {
  const sessions = createSessions()
  const connections = createConnections({ onBeat: closeExpired })
  const handle = createSignaling({ authenticate, parameters: createConnectParameters(), sessions })
  const publish = createDelivery({ connections, clock, faults, requests })
  const open = createSocketOpening({ clock, faults, requests, sessions, connections, isValid })
  let check: NodeJS.Immediate | undefined
  clock.onMove(closeRejected)

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, resource: Resource): void {
    void open(request, socket, head, resource)
  }

  function isValid({ user, resource }: Session): boolean {
    try {
      authenticate(user.token, resource)
      return true
    } catch {
      return false
    }
  }

  function list(): ListedConnection[] {
    return connections.all().map(({ session: { user, resource }, connectedAt }) => ({
      communicationUserId: user.communicationUserId,
      resource: resource.name,
      connectedAt,
    }))
  }

  /** Closes the connections of a user, and returns their number. */
  function disconnect(communicationUserId: string): number {
    const own = Array.from(connections.getOwn(communicationUserId) ?? [])
    for (const connection of own) connections.close(connection)
    return own.length
  }

  /** Closes the connections whose token is no longer valid, once the change that made it invalid is complete. */
  function closeRejected(): void {
    check ??= setImmediate(() => {
      check = undefined
      closeUnauthorized((session) => !isValid(session))
    })
  }

  /** Closes the connections whose token has expired. Takes far less time than to verify all tokens again. */
  function closeExpired(): void {
    closeUnauthorized(({ user }) => user.expiresOn.getTime() <= clock.now())
  }

  // guess(rejected-connections)
  function closeUnauthorized(isUnauthorized: (session: Session) => boolean): void {
    for (const connection of connections.all()) {
      if (isUnauthorized(connection.session)) connections.close(connection, JSON.stringify({ reason: 'unauthorized' }))
    }
  }

  function closeAll(): void {
    clearImmediate(check)
    check = undefined
    for (const connection of connections.all()) connections.close(connection)
  }

  return {
    getOperation: getSignalingOperation,
    handle,
    upgrade,
    publish,
    connections: list,
    disconnect,
    closeRejected,
    closeAll,
  }
}
