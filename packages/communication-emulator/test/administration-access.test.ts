import { describe, expect, it } from 'vitest'
import { startEmulator } from '../src/index.ts'
import { useEmulator } from './emulator-fixture.ts'
import { ownAddress } from './own-address.ts'
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
      for (const wrong of [
        {},
        { authorization: 'Bearer' },
        { authorization: `Bearer ${token}x` },
        { authorization: token },
      ]) {
        const rejected = await call(method, path, { ...browser, ...wrong })
        expect([rejected.status, rejected.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
        expect(rejected.headers.get('access-control-allow-origin')).toBeNull()
      }
      const accepted = await call(method, path, { ...browser, authorization: `Bearer ${token}` })
      expect(accepted.status).toBeLessThan(401)
    }
  })

  it('reads without the token', async () => {
    for (const path of ['identities', 'tokens', 'requests'])
      expect((await call('GET', path, ownBrowser)).status).toBe(200)
  })

  it('cannot read the token', async () => {
    const sent = { authorization: `Bearer ${fixture.emulator.administrationToken}` }
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
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization')
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
      headers: { ...ownBrowser, authorization: `Bearer ${administrationToken}`, ...headers },
    })
    expect(response, target).toMatchObject({ status: 403, json: { error: { code: 'Rejected' } } })
  }
})

it.runIf(ownAddress)('rejects other machines', async () => {
  await using emulator = await startEmulator({ host: '0.0.0.0' })
  const endpoint = `https://${ownAddress}:${new URL(emulator.endpoint).port}`
  for (const path of ['', 'health', 'token', 'page/main.mjs']) {
    for (const headers of [{ host: 'localhost' }, { authorization: `Bearer ${emulator.administrationToken}` }]) {
      const request = { target: `/_emulator/${path}`, headers, servername: 'localhost' }
      const { status, json } = await exchange(endpoint, request)
      expect([status, json.error.message]).toEqual([403, expect.stringContaining('other machines')])
    }
  }
})

it('rejects other names of this machine', async () => {
  await using emulator = await startEmulator({ hostnames: ['emulator.example'] })
  const { status, json } = await exchange(emulator.endpoint, {
    target: '/_emulator/identities',
    headers: { host: 'emulator.example' },
  })
  expect([status, json.error.message]).toEqual([403, expect.stringContaining('use localhost')])
})

describe.runIf(ownAddress)('another machine, with a token that the user chose', () => {
  const administrationToken = 'a-token-of-the-user'
  const open = useEmulator({ hostnames: ['emulator.example', ownAddress!], administrationToken })

  function callFromOther(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
    const { port } = new URL(open.emulator.endpoint)
    return fetch(`https://${ownAddress}:${port}/_emulator/${path}`, { method, headers })
  }

  it('needs the token for every call', async () => {
    for (const path of ['identities', 'health', 'token', 'entra/sign-in']) {
      for (const authorization of ['', 'Bearer', `Bearer ${administrationToken}x`, `Basic ${administrationToken}`]) {
        const response = await callFromOther(path, { authorization })
        expect([response.status, response.headers.get('www-authenticate')], path).toEqual([401, 'Bearer'])
      }
    }
    const authorization = `bearer ${administrationToken}`
    expect((await callFromOther('identities', { authorization })).status).toBe(200)
    expect((await callFromOther('reset', { authorization }, 'POST')).status).toBe(204)
    const { port } = new URL(open.emulator.endpoint)
    const resources = await (await callFromOther('resources', { authorization })).json()
    expect(resources).toMatchObject([{ endpoint: `https://${ownAddress}:${port}/` }])
  })

  it('opens the page, which does not contain the token', async () => {
    const page = await callFromOther('')
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('name="emulator-token" content=""')
    expect((await callFromOther('page/main.mjs')).status).toBe(200)
    const authorization = `Bearer ${administrationToken}`
    expect((await callFromOther('clock', { ...ownBrowser, authorization })).status).toBe(200)
    expect((await callFromOther('token', { ...ownBrowser, authorization })).status).toBe(403)
  })

  it('cannot use it from the page of another site, or under another name', async () => {
    const authorization = `Bearer ${administrationToken}`
    expect((await callFromOther('clock', { authorization, origin: 'https://evil.example' })).status).toBe(403)
    const { port } = new URL(open.emulator.endpoint)
    const headers = { authorization, host: 'evil.example' }
    const options = { target: '/_emulator/clock', headers, servername: 'emulator.example' }
    expect(await exchange(`https://${ownAddress}:${port}`, options)).toMatchObject({ status: 403 })
  })

  it('leaves programs of this machine without a token', async () => {
    const response = await fetch(`${open.emulator.endpoint}_emulator/token`)
    expect(await response.json()).toEqual({ token: administrationToken })
  })
})

it.each(['tiny', 'fifteen-letters', 'a token with spaces', 'ä-token-of-the-user'])(
  'rejects the weak or malformed token %j, without showing it',
  async (administrationToken) => {
    const message = await startEmulator({ administrationToken }).catch((error: unknown) => (error as Error).message)
    expect(message).toContain('openssl rand')
    expect(message).not.toContain(administrationToken)
  },
)
