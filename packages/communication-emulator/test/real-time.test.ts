import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { connect } from 'node:tls'
import { CommunicationIdentityClient } from '@azure/communication-identity'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { startEmulator } from '../src/index.ts'
import { useEmulator } from './emulator-fixture.ts'
import { allocate, connectClient, openSocket, shakeHands, type Allocation } from './real-time-client.ts'
import { exchange } from './signed-request.ts'

const fixture = useEmulator()

afterEach(() => void vi.useRealTimers())

const createToken = async (scopes?: string[]) => fixture.issueToken(await fixture.createIdentity(), scopes)

async function getAllocation(token: string, parameters?: Record<string, string>): Promise<Allocation> {
  return (await (await allocate(fixture.emulator.endpoint, token, parameters)).json()) as Allocation
}

/** Requests a session, and returns its id. */
async function openSession(token: string): Promise<string> {
  const { connectparams } = await getAllocation(token)
  const response = await shakeHands(fixture.emulator.endpoint, token, connectparams)
  return (await response.text()).split(':', 1)[0]!
}

/** Returns the status of the response to a request for a WebSocket that is rejected. */
async function getRejection(session: string, endpoint = fixture.emulator.endpoint): Promise<string> {
  const [{ message }] = (await once(openSocket(endpoint, session).socket, 'error')) as [Error]
  return message
}

describe('the signaling', () => {
  it.each(['', '/'])(
    'returns URLs with the host of the request, also at paths with another slash (%j)',
    async (slash) => {
      const token = await createToken()
      const { emulator } = fixture
      const headers = { host: 'localhost:1234', authorization: `Bearer ${token}`, 'x-skypetoken': token }
      const target = `${slash}/chat/config/realTimeNotifications?api-version=2024-09-01`
      const configuration = await exchange(emulator.endpoint, { target, headers })
      const origin = 'https://localhost:1234'
      expect(configuration.json).toEqual({
        trouterServiceUrl: origin,
        registrarServiceUrl: origin,
        cloudType: 'Public',
      })

      const start = Date.now()
      const { json } = await exchange(emulator.endpoint, { method: 'POST', target: `${slash}/v4/a`, headers })
      const url = expect.stringMatching(/^https:\/\/localhost:1234\/v4\/f\/[-\w]{24}\/$/) as string
      const id = expect.stringMatching(/^[-\w]{24}$/) as string
      expect(json).toEqual({
        socketio: `${origin}/`,
        url,
        surl: json.url,
        curlb: origin,
        id,
        ccid: json.id,
        ttl: '586920',
        connectparams: {
          sr: json.id,
          issuer: 'emulator',
          sp: 'connect',
          se: expect.stringMatching(/^\d+$/) as string,
          st: expect.stringMatching(/^\d+$/) as string,
          sig: expect.stringMatching(/^[-\w]{43}$/) as string,
        },
      })
      const { se, st } = json.connectparams
      expect(Number(st)).toBeGreaterThanOrEqual(start)
      expect(Number(se) - Number(st)).toBe(586_920_000)
    },
  )

  it('connects with the packets of the service, and acknowledges those of the client', async () => {
    const token = await createToken()
    const { emulator } = fixture
    const { connectparams } = await getAllocation(token)
    const handshake = await shakeHands(emulator.endpoint, token, connectparams)
    expect(handshake.headers.get('content-type')).toMatch(/^text\/plain/)
    expect(await handshake.text()).toMatch(/^[-\w]{32}:70:70:websocket$/)

    using client = await connectClient(emulator.endpoint, token)
    expect(await client.take('1::')).toBe('')
    expect(await client.take('5:::')).toBe('{"name":"trouter.connected","args":[{"ttl":586920,"dur":"0"}]}')
    client.socket.send('5:1+::{"name":"user.activity","args":[{"state":"active","cv":"a"}]}')
    expect(await client.take('6:::')).toBe('1+[]')
    client.socket.send('5:2+::{"name":"ping"}')
    expect(await client.take('6:::')).toBe('2+["pong"]')
  })

  it('accepts registrations', async () => {
    const token = await createToken()
    const headers = { 'x-skypetoken': token }
    const { endpoint } = fixture.emulator
    const registration = { method: 'POST', target: '/v3/registrations', headers, payload: '{"registrationId":"a"}' }
    expect((await exchange(endpoint, registration)).status).toBe(202)
    expect((await exchange(endpoint, { ...registration, payload: '[]' })).status).toBe(400)
    expect((await exchange(endpoint, { method: 'DELETE', target: '/v3/registrations/a', headers })).status).toBe(202)
  })

  const requests = [
    ['GET', '/chat/config/realTimeNotifications?api-version=2024-09-01'],
    ['POST', '/v4/a'],
    ['GET', '/socket.io/1/'],
    ['POST', '/v3/registrations'],
    ['DELETE', '/v3/registrations/a'],
  ] as const

  it.each(requests)('requires a valid token with a scope of chat: %s %s', async (method, target) => {
    const { endpoint } = fixture.emulator
    const requestWith = (token: string) => {
      const headers = { authorization: `Bearer ${token}`, 'x-skypetoken': token }
      return exchange(endpoint, { method, target, headers })
    }
    expect(await exchange(endpoint, { method, target })).toMatchObject({ status: 401, text: '' })
    expect(await requestWith('a.b.c')).toMatchObject({ status: 401, text: '' })
    const withoutScope = await requestWith(await createToken(['voip']))
    expect(withoutScope).toMatchObject({ status: 403, json: { CommunicationError: { Code: 'Forbidden' } } })
    expect((await requestWith(await createToken(['chat.join.limited']))).status).not.toBe(403)
  })

  it.each(requests)('permits pages of any origin to send %s %s', async (method, target) => {
    const headers = { origin: 'http://localhost:3000', 'access-control-request-method': method }
    const preflight = await exchange(fixture.emulator.endpoint, {
      method: 'OPTIONS',
      target,
      headers: { ...headers, 'access-control-request-headers': 'x-skypetoken' },
    })
    expect(preflight).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'x-skypetoken' },
    })
  })

  it('rejects the parameters of other users, and changed ones', async () => {
    const [token, other] = [await createToken(), await createToken()]
    const { emulator } = fixture
    const { connectparams } = await getAllocation(token)
    expect((await shakeHands(emulator.endpoint, other, connectparams)).status).toBe(401)
    expect((await shakeHands(emulator.endpoint, token, { ...connectparams, sr: 'a' })).status).toBe(401)
    expect((await shakeHands(emulator.endpoint, token, {})).status).toBe(401)
    expect(emulator.requests.list().at(-1)).toMatchObject({ explanation: { code: 'ParametersInvalid' } })
    expect((await getAllocation(other, connectparams)).url).not.toContain(connectparams['sr'])
  })

  it('rejects unknown, used and expired sessions, and those of other resources', async () => {
    await using second = await startEmulator({ resources: [{ name: 'second' }] })
    const token = await createToken()
    expect(await getRejection('unknown')).toContain('404')
    const session = await openSession(token)
    using client = openSocket(fixture.emulator.endpoint, session)
    await client.take('5:::')
    expect(await getRejection(session)).toContain('404')
    expect(await getRejection(await openSession(token), second.endpoint)).toContain('404')
    const late = await openSession(token)
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + 30_000)
    expect(await getRejection(late)).toContain('404')
    const logged = { operation: 'openSocket', status: 404, explanation: { code: 'UnknownSession' } }
    expect(fixture.emulator.requests.list().at(-1)).toMatchObject(logged)
  })

  it('rejects the session of a token that was revoked in the meantime', async () => {
    const id = await fixture.createIdentity()
    const session = await openSession(await fixture.issueToken(id))
    await fixture.call({ target: `/identities/${id}/:revokeAccessTokens?api-version=2023-10-01` })
    expect(await getRejection(session)).toContain('404')
  })

  it('rejects WebSockets of foreign hosts', async () => {
    const url = `${fixture.emulator.endpoint.replace('https', 'wss')}socket.io/1/websocket/a`
    const socket = new WebSocket(url, { headers: { host: 'evil.example' } })
    const [{ message }] = (await once(socket, 'error')) as [Error]
    expect(message).toContain('421')
  })

  it('survives a client that resets the connection before it is accepted', async () => {
    const { emulator } = fixture
    const session = await openSession(await createToken())
    const fault = emulator.faults.add({ operation: 'openSocket', latencyMs: 60_000, count: 1 })
    const { port, host } = new URL(emulator.endpoint)
    const transport = createConnection(Number(port), '127.0.0.1')
    const socket = connect({ socket: transport, servername: 'localhost', ca: readFileSync(emulator.caPath) })
    socket.on('error', () => {})
    await once(socket, 'secureConnect')
    const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Host: ${host}`]
    socket.write([`GET /socket.io/1/websocket/${session} HTTP/1.1`, ...lines, '', ''].join('\r\n'))
    await expect.poll(() => emulator.faults.list()).toMatchObject([{ appliedCount: 1 }])
    transport.resetAndDestroy()
    using client = await connectClient(emulator.endpoint, await createToken())
    await client.take('5:::')
    emulator.faults.remove(fault)
    const getOpened = () => emulator.requests.list().filter(({ operation }) => operation === 'openSocket')
    await expect.poll(getOpened).toHaveLength(2)
    expect(emulator.chat.connections()).toHaveLength(1)
  })

  it('rejects long polling, and logs the reason', async () => {
    const { emulator } = fixture
    expect((await exchange(emulator.endpoint, { target: '/socket.io/1/xhr-polling/a' })).status).toBe(404)
    expect(emulator.requests.list().at(-1)?.explanation).toEqual({
      code: 'UnknownRoute',
      message: 'Long polling is not emulated: use a WebSocket.',
    })
  })

  it('injects faults', async () => {
    const { emulator } = fixture
    const token = await createToken()
    emulator.faults.add({ operation: 'openTrouterSession', status: 503, count: 1 })
    expect((await allocate(emulator.endpoint, token)).status).toBe(503)
    emulator.faults.add({ operation: 'openSocket', status: 502, count: 1 })
    expect(await getRejection(await openSession(token))).toContain('502')
    emulator.faults.add({ operation: 'openSocket', reset: true, count: 1 })
    expect(await getRejection(await openSession(token))).toContain('hang up')
    const faulty = { operation: 'openSocket', errorCode: 'InjectedFault' }
    expect(emulator.requests.list().filter(({ operation }) => operation === 'openSocket')).toMatchObject([
      { ...faulty, status: 502 },
      { ...faulty, status: undefined },
    ])
  })
})

describe('a connection', () => {
  it('keeps its address when the client reconnects, and replaces the earlier one', async () => {
    const token = await createToken()
    const { endpoint } = fixture.emulator
    using first = await connectClient(endpoint, token)
    using second = await connectClient(endpoint, token, first.allocation.connectparams)
    expect(second.allocation.url).toBe(first.allocation.url)
    expect(await first.take('0::')).toBe(':dup')
    await first.closed
    second.socket.send('5:1+::{"name":"ping"}')
    await second.take('6:::1+')
  })

  it('is kept by heartbeats, and closed when the client does not respond to one', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const token = await createToken()
    const { endpoint } = fixture.emulator
    using alive = await connectClient(endpoint, token)
    using halfOpen = await connectClient(endpoint, token)
    for (let beat = 1; beat <= 3; beat++) {
      vi.advanceTimersByTime(25_000)
      await alive.take('2::')
      alive.socket.send('2::')
      // The response to a later packet shows that the earlier one was received.
      alive.socket.send(`5:${beat}+::{"name":"ping"}`)
      await alive.take(`6:::${beat}+`)
    }
    await halfOpen.closed
    expect(alive.socket.readyState).toBe(alive.socket.OPEN)
  })

  it('survives malformed packets', async () => {
    const token = await createToken()
    const { endpoint } = fixture.emulator
    using client = await connectClient(endpoint, token)
    const packets = [
      '',
      ':',
      '9::',
      '5',
      '5:1+::',
      '5:1+::{"name":1}',
      '5:1+::[',
      '3:::',
      '3:::{}',
      '3:::null',
      '6:::x',
      '7::',
      'a'.repeat(60_000),
    ]
    for (const packet of [...packets, '3:::{"id":{},"status":"a"}', `3:::${'['.repeat(60_000)}`])
      client.socket.send(packet)
    client.socket.send(Buffer.from('5:1+::{"name":"ping"}'))
    client.socket.send('5:2+::{"name":"ping"}')
    expect(await client.take('6:::')).toBe('2+["pong"]')
  })

  it('is closed alone for a frame that is too large or not UTF-8', async () => {
    const token = await createToken()
    const { endpoint } = fixture.emulator
    using other = await connectClient(endpoint, token)
    using large = await connectClient(endpoint, token)
    large.socket.send('a'.repeat(64 * 1024 + 1))
    expect(await large.closed).toBe(1009)
    using invalid = await connectClient(endpoint, token)
    invalid.socket.send(Buffer.from([0xff]), { binary: false })
    expect(await invalid.closed).toBe(1007)
    other.socket.send('5:1+::{"name":"ping"}')
    await other.take('6:::1+')
  })

  it('is closed by the client', async () => {
    using client = await connectClient(fixture.emulator.endpoint, await createToken())
    client.socket.send('0::')
    expect(await client.closed).toBe(1005)
  })

  it('is closed with its token', async () => {
    const { emulator } = fixture
    const id = await fixture.createIdentity()
    using other = await connectClient(emulator.endpoint, await createToken())
    const rejections: [string, () => unknown][] = [
      ['revoked', () => fixture.call({ target: `/identities/${id}/:revokeAccessTokens?api-version=2023-10-01` })],
      ['issued with a replaced key', () => emulator.resources[0]!.regenerateKey('secondary')],
      ['deleted', () => fixture.call({ method: 'DELETE', target: `/identities/${id}?api-version=2023-10-01` })],
    ]
    for (const [state, reject] of rejections) {
      const { secondaryConnectionString } = emulator.resources[0]!
      const token = await fixture.issueToken(id, ['chat'], secondaryConnectionString.split('accesskey=')[1])
      using client = await connectClient(emulator.endpoint, token)
      await reject()
      expect(await client.take('0::'), state).toBe(':{"reason":"unauthorized"}')
      await client.closed
    }
    other.socket.send('5:1+::{"name":"ping"}')
    await other.take('6:::1+')
    emulator.clock.advance(24 * 60 * 60_000)
    expect(await other.take('0::')).toBe(':{"reason":"unauthorized"}')
    await other.closed
  })

  it('is closed when its token expires', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
    using client = await connectClient(fixture.emulator.endpoint, await createToken())
    vi.setSystemTime(Date.now() + 24 * 60 * 60_000)
    vi.advanceTimersByTime(25_000)
    expect(await client.take('0::')).toBe(':{"reason":"unauthorized"}')
  })

  it('is closed when the emulator is reset', async () => {
    using client = await connectClient(fixture.emulator.endpoint, await createToken())
    await fixture.emulator.reset()
    expect(await client.take('0::')).toBe('')
    expect(fixture.emulator.chat.connections()).toEqual([])
  })

  it('is closed when the emulator stops', async () => {
    const emulator = await startEmulator()
    const { token } = await new CommunicationIdentityClient(emulator.connectionString).createUserAndToken(['chat'])
    using client = await connectClient(emulator.endpoint, token)
    await emulator[Symbol.asyncDispose]()
    expect(await client.take('0::')).toBe('')
    await client.closed
  })
})
