import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ServiceFixture } from './service-fixture.ts'

const origin = 'https://app.example.com'
let fixture: ServiceFixture
let port: number

beforeAll(async () => {
  fixture = await ServiceFixture.start({ env: { ALLOWED_ORIGINS: origin } })
  await fixture.service.listen({ host: '127.0.0.1', port: 0 })
  port = (fixture.service.addresses() as [AddressInfo])[0].port
})
afterAll(() => fixture[Symbol.asyncDispose]())

/** Sends bytes and returns everything until the service closes the connection. */
async function send(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  return await text(socket)
}

it('rejects and disconnects malformed and endless requests', async () => {
  // A client that keeps its half open does not keep a connection of the service.
  const halfOpen = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  halfOpen.write('garbage\r\n\r\n')
  await expect
    .poll(
      () => new Promise<number>((resolve) => fixture.service.server.getConnections((_error, count) => resolve(count))),
    )
    .toBe(0)
  halfOpen.destroy()
  const long = 'x'.repeat(20_000)
  const malformed = await send('garbage\r\n\r\n')
  const tooLong = await send(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nCookie: ${long}\r\n\r\n`)
  const timeouts = { headersTimeout: 10_000, requestTimeout: 10_000 }
  expect(fixture.service.server).toMatchObject(timeouts)
  Object.assign(fixture.service.server, { headersTimeout: 100, requestTimeout: 100 })
  const incomplete = await send('POST /v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Le')
  Object.assign(fixture.service.server, timeouts)
  expect(malformed).toMatch(/^HTTP\/1.1 400 [^]*application\/problem\+json[^]*"code":"request-invalid"/)
  expect(tooLong).toMatch(/^HTTP\/1.1 431 [^]*"code":"headers-too-large"/)
  expect(incomplete).toMatch(/^HTTP\/1.1 408 [^]*"code":"request-timeout"/)
})

it('closes connections without a request when it stops', async () => {
  await using own = await ServiceFixture.start()
  await own.service.listen({ host: '127.0.0.1', port: 0 })
  const accepted = once(own.service.server, 'connection')
  const socket = connect((own.service.addresses() as [AddressInfo])[0].port, '127.0.0.1')
  await accepted
  const received = text(socket)
  await own.service.close()
  // Not 408, which would follow at the timeout.
  expect(await received).toBe('')
})

describe('a request body', () => {
  async function sendBody(request: string, headers: readonly string[], body = ''): Promise<string> {
    const authorization = `Authorization: Bearer ${await fixture.sign({ roles: ['admin'] })}`
    const lines = [`${request} HTTP/1.1`, 'Host: localhost', 'Connection: close', authorization, ...headers]
    return send(`${lines.join('\r\n')}\r\n\r\n${body}`)
  }

  const types = ['application/json', 'application/x-www-form-urlencoded', 'text/plain', 'a/b; c', 'form', '']
  const userKey = 'x'.repeat(43)

  it.each([
    ['POST /v1/token', 200],
    ['POST /v1/token/revoke', 204],
    ['DELETE /v1/identity', 204],
    [`POST /v1/users/${userKey}/token/revoke`, 204],
    [`DELETE /v1/users/${userKey}`, 204],
    ['PUT /v1/teams/assignments/00000000-0000-0000-0000-000000000000', 501],
    // Its body has a required member.
    ['POST /v1/teams/token', 400],
  ])('is optional: %s', async (request, status) => {
    const expected = expect.stringMatching(new RegExp(`^HTTP/1.1 ${status} `))
    expect(await sendBody(request, [])).toEqual(expected)
    for (const type of types) {
      const contentType = `Content-Type: ${type}`
      expect(await sendBody(request, [contentType]), type).toEqual(expected)
      expect(await sendBody(request, [contentType, 'Content-Length: 0']), type).toEqual(expected)
      expect(await sendBody(request, [contentType, 'Transfer-Encoding: chunked'], '0\r\n\r\n'), type).toEqual(expected)
    }
  })

  it('is rejected with another type or without one', async () => {
    const form = 'scopes=chat'
    for (const headers of [['Content-Type: application/x-www-form-urlencoded'], ['Content-Type: form'], []]) {
      expect(await sendBody('POST /v1/token', [...headers, `Content-Length: ${form.length}`], form)).toMatch(
        /^HTTP\/1.1 415 [^]*"code":"media-type-unsupported"/,
      )
      expect(
        await sendBody('POST /v1/token', [...headers, 'Transfer-Encoding: chunked'], `b\r\n${form}\r\n0\r\n\r\n`),
      ).toMatch(/^HTTP\/1.1 415 /)
    }
  })
})

it.each(['Host', 'Origin', 'Authorization', 'Content-Type'])(
  'rejects a second %s, because a proxy may have used the other one',
  async (name) => {
    const values = { Host: 'localhost', Origin: origin, Authorization: 'Bearer x', 'Content-Type': 'application/json' }
    const lines = Object.entries(values).map(([header, value]) => `${header}: ${value}`)
    const second = `${name.toLowerCase()}: ${values[name as keyof typeof values]}`
    for (const method of ['POST', 'OPTIONS']) {
      const request = [`${method} /v1/token HTTP/1.1`, ...lines, second, 'Connection: close', '', '']
      expect(await send(request.join('\r\n'))).toMatch(
        /^HTTP\/1.1 400 [^]*"code":"request-invalid","detail":"The header \S+ is sent twice/,
      )
    }
  },
)
