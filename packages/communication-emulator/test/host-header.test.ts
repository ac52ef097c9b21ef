import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { useEmulator } from './emulator-fixture.ts'

const fixture = useEmulator()

/** Returns everything that the server sends on a connection. */
function exchangeRaw(sent: string): Promise<string> {
  const { emulator } = fixture
  const port = Number(new URL(emulator.endpoint).port)
  const socket = connect({ port, host: 'localhost', servername: 'localhost', ca: readFileSync(emulator.caPath) })
  socket.write(sent)
  return text(socket)
}

function requestWith(path: string, ...lines: string[]): string {
  return [`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}

/** Returns the status line of the response to a request with these header lines. */
async function getStatusLine(path: string, ...lines: string[]): Promise<string> {
  return (await exchangeRaw(requestWith(path, ...lines, 'Connection: close'))).split('\r\n', 1)[0]!
}

it.each(['/_emulator/health', '/identities?api-version=2023-10-01', '/metadata/endpoints?api-version=2022-09-01'])(
  'rejects two Host headers at %s',
  async (path) => {
    expect(await getStatusLine(path, 'Host: localhost', 'host: evil.example')).toBe('HTTP/1.1 400 Bad Request')
    expect(await getStatusLine(path, 'Host: localhost', 'Host: localhost')).toBe('HTTP/1.1 400 Bad Request')
    expect(await getStatusLine(path, 'Host: localhost')).not.toContain('400')
  },
)

it.each([
  ['localhost', 200],
  ['localhost:1', 200],
  ['LOCALHOST:1', 200],
  ['localhost:1:1', 200],
  ['[::1]:1', 200],
  ['localhost:x', 403],
  ['localhost:', 403],
  ['[::1', 403],
  ['evil.example:1', 403],
])('accepts only loopback hosts for the administration: %s, status %i', async (host, status) => {
  expect(await getStatusLine('/_emulator/health', `Host: ${host}`)).toContain(` ${status} `)
})

it('parses malformed Host headers in linear time', async () => {
  // Processor time of the requests: quadratic work takes about 400 times as much, a busy machine far less than 60 times.
  const requests = 40
  const cost = async (host: string) => {
    const { user, system } = process.cpuUsage()
    const request = (...lines: string[]) => requestWith('/_emulator/health', `Host: ${host}`, ...lines)
    const received = await exchangeRaw(request().repeat(requests - 1) + request('Connection: close'))
    const after = process.cpuUsage()
    expect(received.match(/^HTTP\/1.1 403 /gm)).toHaveLength(requests)
    return after.user + after.system - user - system
  }
  const createHost = (piece: string) => `${piece.repeat(15_000 / piece.length)}x`
  const plain = await cost(createHost('a'))
  for (const piece of [':1', ':', '[', '[:', 'a.', '-', ']:1']) {
    expect(await cost(createHost(piece)), piece).toBeLessThan(60 * plain)
  }
})
