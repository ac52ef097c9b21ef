import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Clock } from '../../clock.ts'
import { waitForLatency, type FaultPlan } from '../../fault-plan.ts'
import { rejectUpgrade } from '../../reject-upgrade.ts'
import type { RequestLog } from '../../request-log.ts'
import type { Resource } from '../../resource.ts'
import type { Connections } from './connections.ts'
import type { Session, Sessions } from './sessions.ts'

export interface SocketOpeningOptions {
  readonly clock: Clock
  readonly faults: FaultPlan
  readonly requests: RequestLog
  readonly sessions: Sessions
  readonly connections: Connections
  /** Whether the token of the session is still valid. */
  readonly isValid: (session: Session) => boolean
}

/** Operation of a request for a WebSocket. */
export const openSocket = 'openSocket'

const socketPath = /^\/{1,2}socket\.io\/1\/websocket\/([-\w]+)$/i

/** Packets of clients are far shorter. */
const maxPacketBytes = 64 * 1024

/** Creates the function that opens the WebSocket of a session, and adds its connection. */
export function createSocketOpening(options: SocketOpeningOptions) {
  const { clock, faults, requests, sessions, connections, isValid } = options
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxPacketBytes,
  })

  return async function open(request: IncomingMessage, socket: Duplex, head: Buffer, resource: Resource) {
    const start = performance.now()
    const [path = ''] = request.url!.split('?', 1)
    const session = sessions.take(socketPath.exec(path)?.[1] ?? '')
    const fault = faults.match(openSocket, { isNamedOnly: true })
    if (fault) await waitForLatency(fault)
    const isAccepted = session?.resource === resource && isValid(session)
    // guess(unknown-session)
    const status = fault?.reset ? undefined : (fault?.status ?? (isAccepted ? 101 : 404))
    requests.add({
      at: new Date(clock.now()),
      resource: resource.name,
      method: 'GET',
      path,
      apiVersion: undefined,
      operation: openSocket,
      communicationUserId: session?.user.communicationUserId,
      clientRequestId: undefined,
      status,
      errorCode: fault && status !== 101 ? 'InjectedFault' : undefined,
      explanation: isAccepted ? undefined : unknownSession,
      durationMs: performance.now() - start,
    })
    if (status === undefined) socket.destroy()
    else if (status !== 101 || !session) rejectUpgrade(socket, status)
    else {
      server.handleUpgrade(request, socket, head, (webSocket) => {
        connections.add(webSocket, session, new Date(clock.now()))
      })
    }
  }
}

const unknownSession = {
  code: 'UnknownSession',
  message: 'The session does not exist, has expired, was used already, or its token is no longer valid.',
}
