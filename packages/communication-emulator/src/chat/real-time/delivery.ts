import type { Clock } from '../../clock.ts'
import { waitForLatency, type FaultPlan } from '../../fault-plan.ts'
import type { RequestLog } from '../../request-log.ts'
import type { ChatEvent } from '../chat-event.ts'
import { toPath, type Connection } from './connection.ts'
import type { Connections } from './connections.ts'
import { createEventPayload } from './event-payload.ts'

export interface DeliveryOptions {
  readonly connections: Connections
  readonly clock: Clock
  readonly faults: FaultPlan
  readonly requests: RequestLog
}

/** Creates the function that sends an event to its connected recipients. It returns before they respond. */
export function createDelivery({ connections, clock, faults, requests }: DeliveryOptions) {
  return function publish(event: ChatEvent): void {
    let toBody: ReturnType<typeof createEventPayload> | undefined
    for (const recipient of event.recipients) {
      const own = connections.getOwn(recipient)
      if (!own) continue
      toBody ??= createEventPayload(event)
      const body = toBody(recipient)
      // A copy, because a fault may cut connections.
      for (const connection of Array.from(own)) deliver(connection, event, body)
    }
  }

  function deliver(connection: Connection, event: ChatEvent, body: string): void {
    const { communicationUserId } = connection.session.user
    const fault = faults.match(event.name, { isNamedOnly: true, communicationUserId })
    if (!fault) return send(connection, event, body)
    const inject = () => {
      const isAfter = fault.reset && fault.phase === 'after'
      if (fault.drop || (fault.reset && !isAfter)) {
        record(connection, event, { status: undefined, durationMs: 0, isInjected: true })
        if (fault.reset) connection.cut()
        return
      }
      // Cut after the response, since a connection that is cut earlier may lose the event.
      send(connection, event, body, isAfter ? connection.cut : undefined)
      if (fault.duplicate) send(connection, event, body)
    }
    if (fault.latencyMs === undefined) return inject()
    // Later events overtake a delayed one.
    void waitForLatency(fault).then(() => (connection.isOpen() ? inject() : undefined))
  }

  function send(connection: Connection, event: ChatEvent, body: string, onResponse?: () => void): void {
    const start = performance.now()
    connection.deliver(body, (status) => {
      record(connection, event, { status, durationMs: performance.now() - start })
      onResponse?.()
    })
  }

  /** Logs a delivery: a request of the service, with the response of the client. */
  function record(
    { session }: Connection,
    event: ChatEvent,
    outcome: { status: number | undefined; durationMs: number; isInjected?: boolean },
  ): void {
    const { status, durationMs, isInjected = false } = outcome
    requests.add({
      at: new Date(clock.now()),
      resource: session.resource.name,
      method: 'POST',
      path: toPath(session.address),
      apiVersion: undefined,
      operation: event.name,
      communicationUserId: session.user.communicationUserId,
      threadId: event.thread.id,
      clientRequestId: undefined,
      status,
      errorCode: isInjected ? 'InjectedFault' : undefined,
      explanation: undefined,
      durationMs,
    })
  }
}
