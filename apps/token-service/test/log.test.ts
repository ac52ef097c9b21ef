import { CommunicationIdentityError } from '@acs-kit/communication-identity'
import { startEchoServer } from '@acs-kit/test-support/echo-server'
import { audience } from '@acs-kit/test-support/sign-in-issuer'
import { expect, it } from 'vitest'
import { createLog } from '../src/log.ts'
import { ProblemError } from '../src/problems/problem-error.ts'
import { ServiceFixture } from './service-fixture.ts'

const secret = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I='

/** Logs an error and returns its line. */
function logError(err: unknown, ...messages: string[]): Record<string, unknown> {
  let line = ''
  createLog('info', { write: (text) => void (line += text) }).error({ err }, ...messages)
  expect(line).not.toContain(secret)
  return JSON.parse(line)
}

/** Creates an error like those of the SDKs, whose stack begins with the text of the response. */
function responseError(): Error {
  const error = new Error(`${secret}\n    at ${secret}\n`)
  return Object.assign(error, { message: secret, statusCode: 403, code: secret })
}

it('logs the message of our own errors, and only codes and stack frames of others', () => {
  const cause = Object.assign(new TypeError(`Invalid header: ${secret}`), { code: 'ERR_INVALID_CHAR' })
  const err = new ProblemError('store-unavailable', 'Too many requests.', { cause })
  expect(logError(err, 'failed')['err']).toEqual({
    name: 'ProblemError',
    message: 'Too many requests.',
    code: 'store-unavailable',
    statusCode: 503,
    cause: {
      name: 'TypeError',
      code: 'ERR_INVALID_CHAR',
      stack: expect.arrayContaining([expect.stringMatching(/^at /)]),
    },
  })
  expect(logError(responseError(), 'failed')['err']).toEqual({ name: 'Error', statusCode: 403 })
})

it.each([
  ['a message with lines that look like a stack', new Error(`${secret}\n    at ${secret}\nend`)],
  ['a message that ends like a stack', new Error(`GET /\n    at ${secret}`)],
  ['a message that was replaced', Object.assign(new Error(`GET /\n    at ${secret}`), { message: 'other' })],
  ['a chain of causes', new CommunicationIdentityError('unavailable', 'no response', { cause: responseError() })],
  ['a cause that is not an error', new Error('no response', { cause: { response: { headers: secret } } })],
  ['a text', secret],
])('omits the content of %s', (_name, err) => {
  expect(logError(err, 'failed')).toMatchObject({ msg: 'failed', err: { name: expect.any(String) } })
})

it('truncates a circular chain of causes', () => {
  const error = new Error('round')
  error.cause = error
  expect(logError(error, 'failed')).toMatchObject({ msg: 'failed' })
})

it("never logs an error's message as the line's own, nor a request", () => {
  const error = new Error(secret)
  let lines = ''
  const log = createLog('info', { write: (text) => void (lines += text) })
  log.error(error)
  log.error({ err: error })
  log.child({ reqId: 'r' }).error({ err: error, req: { headers: secret }, res: { headers: secret } }, error.message)
  expect(lines.trim().split('\n')).toHaveLength(3)
  expect(lines).not.toContain(secret)
})

it('omits parts of URLs that may be secret', () => {
  const text = `https://user:${secret}@a.example/x?sig=${secret} and http://b.example/y#${secret}`
  expect(logError(new ProblemError('sign-in-unavailable', text), 'failed')['err']).toMatchObject({
    message: 'https://a.example/x and http://b.example/y',
  })
})

it.each([400, 401, 403, 429, 500])(
  'exposes no signature when upstreams respond with %i and repeat the request',
  async (status) => {
    await using store = await startEchoServer({
      status,
      toBody: (text) => JSON.stringify({ 'odata.error': { code: text, message: { value: text } } }),
    })
    await using keys = await startEchoServer({ status })
    await using fixture = await ServiceFixture.start()
    await using communication = await startEchoServer({ tls: fixture.emulator.tlsFiles, status })
    const { issuer } = fixture.issuer
    const account = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${secret}`
    const storeEndpoint = `TableEndpoint=http://127.0.0.1:${store.port}/a`
    const environments = [
      {
        COMMUNICATION_SERVICES_CONNECTION_STRING: `endpoint=https://localhost:${communication.port}/;accesskey=${secret}`,
      },
      { IDENTITY_STORE_CONNECTION_STRING: `${account};${storeEndpoint}` },
      { IDENTITY_STORE_CONNECTION_STRING: `${storeEndpoint};SharedAccessSignature=sv=2024-11-04&sig=${secret}` },
      {
        SIGN_IN_ISSUERS: JSON.stringify([
          { issuer, audience, jwksUri: `http://127.0.0.1:${keys.port}/keys?sig=${secret}` },
        ]),
      },
    ]
    const log = createLog('info', { write: (line) => void (fixture.logged += line) })
    for (const env of environments) {
      const service = await fixture.addInstance({ UPSTREAM_DEADLINE_MS: '500', ...env })
      await service.health.check()
      await service.identities.reaper.run().catch((err: unknown) => log.warn({ err }, 'failed'))
      const { body } = await fixture.call('POST /v1/token', { service })
      for (const echo of [store, keys, communication]) {
        for (const shown of echo.secrets) expect(fixture.logged + JSON.stringify(body)).not.toContain(shown)
      }
    }
    for (const echo of [store, keys, communication]) expect(echo.secrets).not.toEqual([])
    expect(fixture.logged).toContain(`"statusCode":${status}`)
  },
)
