import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { startEmulator } from '../src/index.ts'
import { useEmulator } from './emulator-fixture.ts'
import { exchange } from './signed-request.ts'

const fixture = useEmulator()
const loopbackOrigin = 'http://localhost:5173'
const ownBrowser = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }
const otherSite = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }

function call(method: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${fixture.emulator.endpoint}_emulator/${path}`, { method, headers })
}

/** Expects a rejection, and returns its message. */
async function expectRejection(response: Promise<Response>): Promise<string> {
  const { status, headers, json } = await response.then(async (received) => ({
    status: received.status,
    headers: received.headers,
    json: (await received.json()) as { error: { code: string; message: string } },
  }))
  expect([status, json.error.code]).toEqual([403, 'Rejected'])
  expect(headers.get('access-control-allow-origin')).toBeNull()
  return json.error.message
}

describe('a browser', () => {
  const changes = [
    ['POST', 'faults'],
    ['PUT', 'quotas'],
    ['DELETE', 'requests'],
    ['GET', 'tokens?reveal=true'],
  ] as const

  it.each(changes)('needs the token for %s %s', async (method, path) => {
    const token = fixture.emulator.administrationToken
    for (const browser of [ownBrowser, { origin: loopbackOrigin }]) {
      for (const wrong of [{}, { 'x-emulator-token': '' }, { 'x-emulator-token': `${token}x` }]) {
        expect(await expectRejection(call(method, path, { ...browser, ...wrong }))).toContain('X-Emulator-Token')
      }
      const accepted = await call(method, path, { ...browser, 'x-emulator-token': token })
      expect(accepted.status).not.toBe(403)
    }
  })

  it('reads without the token', async () => {
    for (const path of ['identities', 'tokens', 'requests'])
      expect((await call('GET', path, ownBrowser)).status).toBe(200)
  })

  it('cannot read the token', async () => {
    const sent = { 'x-emulator-token': fixture.emulator.administrationToken }
    for (const browser of [ownBrowser, { 'sec-fetch-site': 'none' }, { origin: loopbackOrigin }])
      expect(await expectRejection(call('GET', 'token', { ...browser, ...sent }))).toContain('browsers')
  })

  it('is rejected if another site links to the API or embeds it', async () => {
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    for (const path of ['identities', 'tokens?reveal=true', 'clock']) {
      expect(await expectRejection(call('GET', path, link))).toContain('other sites')
      await expectRejection(call('GET', path, otherSite))
    }
  })

  it('reads from another origin of this machine', async () => {
    const response = await call('GET', 'identities', { 'sec-fetch-site': 'cross-site', origin: loopbackOrigin })
    expect(response.headers.get('access-control-allow-origin')).toBe(loopbackOrigin)
  })

  it('may send the token from another origin of this machine', async () => {
    const preflight = await call('OPTIONS', 'clock', { origin: loopbackOrigin, 'sec-fetch-site': 'cross-site' })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('X-Emulator-Token')
  })
})

describe('a program', () => {
  it('needs no token', async () => {
    expect((await call('POST', 'reset')).status).toBe(204)
    expect((await call('GET', 'tokens?reveal=true')).status).toBe(200)
  })

  it('reads the token, which differs in each process and survives a reset', async () => {
    const { emulator } = fixture
    await emulator.reset()
    expect(await (await call('GET', 'token')).json()).toEqual({ token: emulator.administrationToken })
    await using other = await startEmulator()
    expect(other.administrationToken).toMatch(/^[\w-]{43}$/)
    expect(other.administrationToken).not.toBe(emulator.administrationToken)
  })
})

it.each([
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: 'https://localhost.evil.example' },
  { host: 'evil.example' },
])('rejects %o even with the token', async (headers) => {
  const { endpoint, administrationToken } = fixture.emulator
  for (const target of ['', 'identities', 'page/main.mjs', 'token'].map((path) => `/_emulator/${path}`)) {
    const response = await exchange(endpoint, {
      target,
      headers: { ...ownBrowser, 'x-emulator-token': administrationToken, ...headers },
    })
    expect(response, target).toMatchObject({ status: 403, json: { error: { code: 'Rejected' } } })
  }
})

const ownAddress = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address
if (ownAddress === undefined) process.stdout.write('NOT RUN: requests from another address, no network\n')

it.runIf(ownAddress !== undefined)('rejects other machines', async () => {
  await using emulator = await startEmulator({ host: '0.0.0.0' })
  // The system also uses this address as the client's.
  const endpoint = `https://${ownAddress}:${new URL(emulator.endpoint).port}`
  for (const path of ['', 'health', 'token']) {
    const request = { target: `/_emulator/${path}`, headers: { host: 'localhost' }, servername: 'localhost' }
    const { status, json } = await exchange(endpoint, request)
    expect([status, json.error.message]).toEqual([403, expect.stringContaining('other machines')])
  }
})
