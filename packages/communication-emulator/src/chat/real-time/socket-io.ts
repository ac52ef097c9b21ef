import { parseObject } from '../../raw-request.ts'

/** Packet of a client. */
export type Packet =
  | { readonly type: 'disconnect' | 'heartbeat' | 'other' }
  | { readonly type: 'message'; readonly text: string }
  | { readonly type: 'event'; readonly name: string; readonly id: string }

/** `type:id:endpoint:data`, where a `+` behind the id requests an acknowledgement. */
const packetPattern = /^([0-8]):(\d{0,15})\+?:[^:]*(?::([^]*))?$/

/** Parses a packet of socket.io 0.9; undefined for any other text. */
export function parsePacket(text: string): Packet | undefined {
  const [matched, type, id = '', data = ''] = packetPattern.exec(text) ?? []
  if (matched === undefined) return undefined
  if (type === '0') return { type: 'disconnect' }
  if (type === '2') return { type: 'heartbeat' }
  if (type === '3') return { type: 'message', text: data }
  if (type !== '5') return { type: 'other' }
  const event = parseObject(Buffer.from(data))
  return typeof event?.['name'] === 'string' ? { type: 'event', name: event['name'], id } : undefined
}

export const connectPacket = '1::'
export const heartbeatPacket = '2::'

export function formatMessage(value: unknown): string {
  return `3:::${JSON.stringify(value)}`
}

export function formatEvent(name: string, argument: unknown): string {
  return `5:::${JSON.stringify({ name, args: [argument] })}`
}

export function formatAcknowledgement(id: string, values: readonly unknown[]): string {
  return `6:::${id}+${JSON.stringify(values)}`
}

/** Formats the packet before the end of a connection, with the reason if there is one. */
export function formatDisconnect(reason?: string): string {
  return reason === undefined ? '0::' : `0:::${reason}`
}
