import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startEmulator, type Emulator } from '../src/index.ts'
import { useEmulator } from './emulator-fixture.ts'
import { send } from './signed-request.ts'

const fixture = useEmulator()
const target = '/identities?api-version=2023-10-01'

describe('a valid signature', () => {
  it('accepts Date in place of x-ms-date', async () => {
    const response = await fixture.call({ target, sign: { names: ['date', 'host', 'x-ms-content-sha256'] } })
    expect(response.status).toBe(201)
  })

  it('accepts a host with its port doubled, if it is sent in this form', async () => {
    const { host, port } = new URL(fixture.emulator.endpoint)
    expect(await fixture.call({ target, sign: { host: `${host}:${port}` } })).toMatchObject({ status: 201 })
  })

  it('accepts a host without its port, if it is sent in this form', async () => {
    expect(await fixture.call({ target, sign: { host: 'localhost' } })).toMatchObject({ status: 201 })
  })

  it('ignores Date if x-ms-date is present', async () => {
    const headers = { date: 'Thu, 01 Jan 1970 00:00:00 GMT' }
    expect(await fixture.call({ target, headers })).toMatchObject({ status: 201 })
  })

  it('accepts header names in any order and case', async () => {
    const names = ['x-ms-content-sha256', 'x-ms-date', 'host']
    expect(await fixture.call({ target, sign: { names } })).toMatchObject({ status: 201 })
    const date = new Date().toUTCString()
    const { host } = new URL(fixture.emulator.endpoint)
    const hash = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    const signature = createHmac('sha256', Buffer.from(fixture.emulator.accessKey, 'base64'))
      .update(`POST\n${target}\n${hash};${date};${host}`)
      .digest('base64')
    const authorization = `HMAC-SHA256 SignedHeaders=X-MS-Content-SHA256;X-MS-Date;Host&Signature=${signature}`
    const headers = { 'x-ms-date': date, authorization }
    expect(await fixture.call({ target, headers })).toMatchObject({ status: 201 })
  })

  it('covers the path as sent, with plain or escaped colons', async () => {
    const id = await fixture.createIdentity()
    for (const sent of [id, encodeURIComponent(id), id.replaceAll(':', '%3a')]) {
      const response = await fixture.call({
        target: `/identities/${sent}/:issueAccessToken?api-version=2023-10-01`,
        body: { scopes: ['chat'] },
      })
      expect(response.status).toBe(200)
    }
  })

  it('accepts either access key', async () => {
    const [, secondary] = fixture.emulator.resources[0]!.secondaryConnectionString.split('accesskey=')
    expect(await fixture.call({ target, accessKey: secondary! })).toMatchObject({ status: 201 })
  })
})

describe('an invalid signature', () => {
  const denied = { code: 'Denied', message: 'Denied by the resource provider.' }
  const otherKey = Buffer.alloc(64, 7).toString('base64')

  it.each([
    ['a request without Authorization', { sign: { drop: ['authorization'] } }, 'AuthorizationMissing'],
    ['another scheme', { headers: { authorization: 'Basic eDp5' } }, 'AuthorizationUnreadable'],
    ['a bearer token', { headers: { authorization: 'Bearer x.y.z' } }, 'TokenSignature'],
    ['a request without a date', { sign: { drop: ['x-ms-date'] } }, 'HeadersNotSigned'],
    ['an unsigned host', { sign: { names: ['x-ms-date', 'x-ms-content-sha256'] } }, 'HeadersNotSigned'],
    [
      'a missing signed header',
      { sign: { names: ['x-ms-date', 'host', 'x-ms-content-sha256', 'x'] } },
      'HeadersMissing',
    ],
    [
      'a header signed twice',
      { sign: { names: ['x-ms-date', 'host', 'x-ms-content-sha256', 'host'] } },
      'HeadersRepeated',
    ],
    ['a signature over another path', { sign: { target: '/other' } }, 'SignatureMismatch'],
    ['a signature with another key', { accessKey: otherKey }, 'SignatureMismatch'],
    ['a date 16 minutes ago', { date: new Date(Date.now() - 16 * 60_000) }, 'DateOutOfRange'],
    ['a date 16 minutes ahead', { date: new Date(Date.now() + 16 * 60_000) }, 'DateOutOfRange'],
  ])('rejects %s', async (_name, request, code) => {
    const response = await fixture.call({ target, ...request })
    expect(response.status).toBe(401)
    expect(response.json.error).toMatchObject({ ...denied, innererror: { code, message: expect.any(String) } })
    expect(response.headers['api-supported-versions']).toBeUndefined()
    expect(fixture.emulator.requests.list().at(-1)).toMatchObject({ status: 401, explanation: { code } })
    expect(fixture.emulator.identities()).toEqual([])
  })

  it('rejects a body that differs from the hash', async () => {
    const response = await fixture.call({ target, body: {}, sign: { contentHash: 'AAAA' } })
    expect(response.status).toBe(401)
    expect(response.json.error).toMatchObject({
      code: 'Denied',
      message: "Request 'x-ms-content-sha256' differs from generated content hash.",
    })
  })

  it('rejects an invalid date', async () => {
    const response = await fixture.call({ target, headers: { 'x-ms-date': 'soon' } })
    expect(response).toMatchObject({ status: 401, json: { error: { innererror: { code: 'DateOutOfRange' } } } })
  })

  it('returns the string to sign', async () => {
    const date = new Date()
    const { json } = await fixture.call({ target, date, accessKey: otherKey })
    const { host } = new URL(fixture.emulator.endpoint)
    expect(json.error.innererror.stringToSign).toBe(
      `POST\n${target}\n${date.toUTCString()};${host};47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=`,
    )
  })

  it("returns the first line that differs from the client's string, if the client sends it", async () => {
    const getExplanation = async (clientString: (server: string) => string) => {
      const { host } = new URL(fixture.emulator.endpoint)
      const date = new Date()
      const server = `POST\n${target}\n${date.toUTCString()};${host};47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=`
      const headers = { 'x-ms-hmac-string-to-sign-base64': Buffer.from(clientString(server)).toString('base64') }
      const { json } = await fixture.call({ target, date, headers, accessKey: otherKey })
      return json.error.innererror
    }
    const other = await getExplanation((server) => server.replace('/identities', '/Identities'))
    expect(other.firstDifference).toEqual({
      line: 2,
      server: target,
      client: target.replace('/identities', '/Identities'),
    })
    const same = await getExplanation((server) => server)
    expect(same).not.toHaveProperty('firstDifference')
    expect(same.message).toMatch(/different access key/)
  })
})

describe('with loose', () => {
  let loose: Emulator
  beforeAll(async () => {
    loose = await startEmulator({ loose: true })
  })
  afterAll(() => loose[Symbol.asyncDispose]())

  it('accepts any date, unknown members and unserved api-versions, but no other invalid request', async () => {
    const call = (request: Partial<Parameters<typeof send>[1]>) =>
      send(loose.endpoint, { target, accessKey: loose.accessKey, ...request })
    expect(await call({ date: new Date(0) })).toMatchObject({ status: 201 })
    expect(await call({ body: { extra: 1 } })).toMatchObject({ status: 201 })
    expect(await call({ target: '/identities?api-version=2026-07-22' })).toMatchObject({ status: 201 })
    expect(await call({ target: '/identities?api-version=2019-01-01' })).toMatchObject({ status: 400 })
    expect(await call({ accessKey: 'AAAA' })).toMatchObject({ status: 401 })
  })
})
