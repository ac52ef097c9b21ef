import type { WebSocket } from 'ws'
import { createConnection, type Connection } from './connection.ts'
import type { Session } from './sessions.ts'

// guess(heartbeat): the client only requires a packet within the 70 seconds that the handshake names.
const heartbeatMs = 25_000

export type Connections = ReturnType<typeof createConnections>

/** Keeps the open connections. One timer sends the heartbeats of all, because a timer of each costs memory. */
export function createConnections({ onBeat }: { onBeat: () => void }) {
  const byUser = new Map<string, Set<Connection>>()
  const byAddress = new Map<string, Connection>()
  let timer: NodeJS.Timeout | undefined

  /** Adds the connection of a WebSocket. It replaces that of the same address, whose client has reconnected. */
  function add(socket: WebSocket, session: Session, connectedAt: Date): void {
    const { address, user } = session
    const previous = byAddress.get(address)
    if (previous) close(previous, 'dup')
    const connection = createConnection(socket, session, connectedAt)
    byAddress.set(address, connection)
    const own = byUser.get(user.communicationUserId)
    if (own) own.add(connection)
    else byUser.set(user.communicationUserId, new Set([connection]))
    socket.once('close', () => remove(connection))
    timer ??= setInterval(beat, heartbeatMs).unref()
  }

  function remove(connection: Connection): void {
    const { address, user } = connection.session
    if (byAddress.get(address) === connection) byAddress.delete(address)
    const own = byUser.get(user.communicationUserId)
    own?.delete(connection)
    if (own?.size === 0) byUser.delete(user.communicationUserId)
    if (byUser.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  function beat(): void {
    for (const connection of all()) connection.beat()
    onBeat()
  }

  /** Removes a connection at once: a client that does not respond stays for a while. */
  function close(connection: Connection, reason?: string): void {
    remove(connection)
    connection.close(reason)
  }

  function all(): Connection[] {
    return Array.from(byUser.values(), (own) => [...own]).flat()
  }

  function getOwn(communicationUserId: string): ReadonlySet<Connection> | undefined {
    return byUser.get(communicationUserId)
  }

  return { add, close, all, getOwn }
}
