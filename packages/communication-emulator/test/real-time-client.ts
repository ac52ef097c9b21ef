import { once } from 'node:events'
import { WebSocket } from 'ws'

/** A client of the signaling that shows every packet. */
export interface RealTimeClient extends Disposable {
  readonly socket: WebSocket
  /** Packets received and not yet taken. */
  readonly packets: string[]
  /** Waits for the next packet that starts with a text, and returns the rest of it. */
  take(start: string): Promise<string>
  /** Waits for the next event, and returns it. Responds to it, unless `status` is undefined. */
  takeEvent(status?: number): Promise<Delivery>
  /** Resolves when the connection is closed. */
  readonly closed: Promise<unknown>
}

interface Delivery {
  readonly id: number
  readonly method: string
  readonly url: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests inspect arbitrary events
  readonly body: any
}

export interface Allocation {
  readonly socketio: string
  readonly url: string
  readonly connectparams: Readonly<Record<string, string>>
}

/** Requests an address like the SDK; `parameters` are those of an earlier connection. */
export function allocate(endpoint: string, token: string, parameters: Record<string, string> = {}): Promise<Response> {
  const query = new URLSearchParams({ ...parameters, epid: 'a' })
  return fetch(`${endpoint}v4/a?${query.toString()}`, { method: 'POST', headers: { 'X-Skypetoken': token } })
}

/** Requests the session of a WebSocket. */
export function shakeHands(endpoint: string, token: string, parameters: Record<string, string>): Promise<Response> {
  const query = new URLSearchParams({ ...parameters, v: 'v4' })
  return fetch(`${endpoint}socket.io/1/?${query.toString()}`, { headers: { 'X-Skypetoken': token } })
}

/** Connects to the signaling like the SDK; `parameters` are those of an earlier connection. */
export async function connectClient(
  endpoint: string,
  token: string,
  parameters?: Record<string, string>,
): Promise<RealTimeClient & { readonly allocation: Allocation }> {
  const allocation = (await (await allocate(endpoint, token, parameters)).json()) as Allocation
  const handshake = await (await shakeHands(endpoint, token, allocation.connectparams)).text()
  const client = openSocket(endpoint, handshake.split(':', 1)[0]!)
  await once(client.socket, 'open')
  return { ...client, allocation }
}

/** Opens the WebSocket of a session. */
export function openSocket(endpoint: string, session: string): RealTimeClient {
  const socket = new WebSocket(`${endpoint.replace(/^http/, 'ws')}socket.io/1/websocket/${session}`)
  const packets: string[] = []
  let wake = () => {}
  socket.on('message', (data) => {
    packets.push((data as Buffer).toString())
    wake()
  })
  socket.on('error', () => {})
  const take = async (start: string): Promise<string> => {
    for (;;) {
      const index = packets.findIndex((packet) => packet.startsWith(start))
      if (index >= 0) return packets.splice(index, 1)[0]!.slice(start.length)
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  return {
    socket,
    packets,
    take,
    async takeEvent(status = 200) {
      const { id, method, url, body } = JSON.parse(await take('3:::')) as Delivery
      socket.send(`3:::${JSON.stringify({ id, status, headers: {}, body: '' })}`)
      return { id, method, url, body: JSON.parse(body) as unknown }
    },
    closed: new Promise((resolve) => socket.once('close', resolve)),
    [Symbol.dispose]: () => socket.terminate(),
  }
}
