import { lookup } from 'node:dns/promises'
import { hostname } from 'node:os'
import { expect, it } from 'vitest'
import { startEmulator } from '../src/index.ts'
import { useEmulator } from './emulator-fixture.ts'
import { exchange } from './signed-request.ts'

const fixture = useEmulator()
const discovery = '/acac0000-0000-4000-8000-000000000001/v2.0/.well-known/openid-configuration'
const isNamed = await lookup(hostname()).then(
  () => true,
  () => false,
)

it.each(['evil.example', 'evil.example:4380', 'localhost.evil.example', 'localhost@evil.example', 'localhost.'])(
  'rejects every request with the Host %j',
  async (host) => {
    const { emulator } = fixture
    const signed = await fixture.call({ target: '/identities?api-version=2023-10-01', sign: { host } })
    expect(signed).toMatchObject({
      status: 421,
      json: { error: { code: 'MisdirectedRequest', message: expect.stringContaining('use localhost') } },
    })
    for (const target of [discovery, '/metadata/endpoints', '/subscriptions', '/msi/token', '/']) {
      expect(await exchange(emulator.endpoint, { target, headers: { host } }), target).toMatchObject({ status: 421 })
    }
    expect(emulator.identities()).toEqual([])
    expect(emulator.requests.list()[0]).toMatchObject({ status: 421, errorCode: 'MisdirectedRequest' })
  },
)

it.each([
  'localhost',
  'LOCALHOST:4380',
  'azure.localhost',
  '127.0.0.1:1',
  '[::1]:4380',
  '192.168.0.7:4380',
  '[fe80::1]',
])('accepts the Host %s, which no web page can have', async (host) => {
  expect(await fixture.call({ target: '/identities?api-version=2023-10-01', sign: { host } })).toMatchObject({
    status: 201,
  })
})

it.runIf(isNamed)('accepts the name that it listens on, in any case', async () => {
  await using emulator = await startEmulator({ host: hostname().toUpperCase() })
  const { port } = new URL(emulator.endpoint)
  const requestWith = (host: string) =>
    exchange(`https://${hostname()}:${port}/`, { target: discovery, headers: { host }, servername: 'localhost' })
  expect(await requestWith(`${hostname()}:${port}`)).toMatchObject({ status: 200 })
  expect(await requestWith(`${hostname().toUpperCase()}:${port}`)).toMatchObject({ status: 200 })
  expect(await requestWith('evil.example')).toMatchObject({ status: 421 })
})
