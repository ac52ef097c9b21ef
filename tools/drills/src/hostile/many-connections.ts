import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { openTls, receive } from './connection.ts'

/** Opens all connections before it sends a request on any. Throws if none is served or if one gets an error response. */
export async function openManyConnections(emulator: EmulatorProcess, connections: number): Promise<void> {
  const opened = await Promise.allSettled(Array.from({ length: connections }, () => openTls(emulator)))
  const open = opened.filter((result) => result.status === 'fulfilled').map(({ value }) => value)
  const responses = await Promise.all(
    open.map((socket) => {
      socket.write('GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
      return receive(socket, 'one of many clients')
    }),
  )
  const failed = responses.find((response) => response !== '' && !isServed(response))
  if (failed !== undefined) throw new Error(`one of many connections got an error response: ${failed}`)
  if (!responses.some(isServed)) throw new Error(`none of ${connections} connections was served`)
}

function isServed(response: string): boolean {
  return response.startsWith('HTTP/1.1 200 ')
}
