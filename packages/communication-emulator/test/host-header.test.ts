import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { useEmulator } from './emulator-fixture.ts'

const fixture = useEmulator()

/** Status line of the response to a request with these header lines. */
async function statusOf(path: string, ...lines: string[]): Promise<string> {
  const { emulator } = fixture
  const port = Number(new URL(emulator.endpoint).port)
  const socket = connect({ port, host: 'localhost', servername: 'localhost', ca: readFileSync(emulator.caPath) })
  socket.write([`GET ${path} HTTP/1.1`, ...lines, 'Connection: close', '', ''].join('\r\n'))
  return (await text(socket)).split('\r\n', 1)[0]!
}

it.each(['/_emulator/health', '/identities?api-version=2023-10-01', '/metadata/endpoints?api-version=2022-09-01'])(
  'given twice is a bad request: %s',
  async (path) => {
    expect(await statusOf(path, 'Host: localhost', 'host: evil.example')).toBe('HTTP/1.1 400 Bad Request')
    expect(await statusOf(path, 'Host: localhost', 'Host: localhost')).toBe('HTTP/1.1 400 Bad Request')
    expect(await statusOf(path, 'Host: localhost')).not.toContain('400')
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
])('the administration answers to %s with %i', async (host, status) => {
  expect(await statusOf('/_emulator/health', `Host: ${host}`)).toContain(` ${status} `)
})

it('costs no more for its form', async () => {
  const pieces = [':1', ':', '[', '[:', 'a.', '-', ']:1']
  const cost = async (host: string) => {
    const { user, system } = process.cpuUsage()
    await statusOf('/_emulator/health', `Host: ${host}`)
    const after = process.cpuUsage()
    return after.user + after.system - user - system
  }
  const costs = new Map<string, number>()
  // Processor time, the least of several rounds: what else the machine does counts for nothing.
  for (let round = 0; round < 5; round++) {
    for (const piece of ['a', ...pieces]) {
      const host = `${piece.repeat(15_000 / piece.length)}x`
      costs.set(piece, Math.min(costs.get(piece) ?? Infinity, await cost(host)))
    }
  }
  for (const piece of pieces) expect(costs.get(piece), piece).toBeLessThan(10 * costs.get('a')!)
})
