import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { startEmulator } from '@acs-kit/communication-emulator'
import { startEchoServer } from '@acs-kit/test-support/echo-server'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createCommunicationIdentities, type CommunicationIdentities, type SdkName } from '../src/index.ts'

const principal = { tenantId: randomUUID(), objectId: randomUUID() }
const sdks: SdkName[] = ['administration', 'identity']

describe.each(sdks)('the %s driver', (sdk) => {
  let emulator: Awaited<ReturnType<typeof startEmulator>>
  let identities: CommunicationIdentities
  let id: string

  beforeAll(async () => {
    emulator = await startEmulator()
    identities = await createCommunicationIdentities(emulator, { sdk })
  })
  beforeEach(async () => {
    await emulator.reset()
    id = await identities.create()
    emulator.requests.clear()
  })
  afterAll(() => emulator[Symbol.asyncDispose]())

  const statuses = () => emulator.requests.list().map(({ status }) => status)

  it('retries after the delay of Retry-After', async () => {
    emulator.faults.add({ status: 429, retryAfterSeconds: 1, count: 1 })
    const start = performance.now()
    await identities.issueToken(id, ['chat'])
    expect(performance.now() - start).toBeGreaterThan(990)
    expect(statuses()).toEqual([429, 200])
  })

  it('fails immediately when that delay exceeds the deadline', async () => {
    emulator.faults.add({ status: 429, retryAfterSeconds: 30 })
    const start = performance.now()
    await expect(identities.issueToken(id, ['chat'])).rejects.toMatchObject({ code: 'throttled', retryAfterMs: 30_000 })
    expect(performance.now() - start).toBeLessThan(5_000)
    expect(statuses()).toEqual([429])
  })

  it('retries after a server error, but a creation only when it certainly had no effect', async () => {
    emulator.faults.add({ operation: 'issueAccessToken', status: 500, count: 2 })
    await identities.issueToken(id, ['chat'])
    emulator.faults.add({ operation: 'createIdentity', status: 429, count: 1 })
    await identities.create()
    expect(statuses()).toEqual([500, 500, 200, 429, expect.any(Number)])
    emulator.requests.clear()
    emulator.faults.add({ operation: 'createIdentity', status: 500 })
    await expect(identities.create()).rejects.toMatchObject({ code: 'unavailable', hadNoEffect: false })
    expect(statuses()).toEqual([500])
  })

  it('does not create again when the response was lost', async () => {
    emulator.faults.add({ reset: true, phase: 'after', count: 1 })
    await expect(identities.create()).rejects.toMatchObject({ code: 'unavailable' })
    expect(emulator.identities()).toHaveLength(2)
    emulator.faults.clear()
    emulator.requests.clear()
    emulator.faults.add({ reset: true, phase: 'after', count: 1 })
    await identities.issueToken(id, ['chat'])
    expect(statuses()).toEqual([undefined, 200])
  })

  it('rejects a response without content', async () => {
    emulator.faults.add({ status: 200 })
    const incomplete = { code: 'unavailable', message: expect.stringContaining('is incomplete') }
    await expect(identities.issueToken(id, ['chat'], { deadlineMs: 300 })).rejects.toMatchObject(incomplete)
    await expect(identities.getTeamsAssignment(principal, { deadlineMs: 300 })).rejects.toMatchObject(incomplete)
    emulator.faults.clear()
    emulator.faults.add({ status: sdk === 'identity' ? 201 : 200 })
    await expect(identities.create()).rejects.toMatchObject({ code: 'unavailable' })
  })

  it.each([
    [400, 'invalid-request', 'the service rejected the request (400)'],
    [401, 'credentials-rejected', 'the service rejected the credentials (401)'],
    [429, 'throttled', 'too many requests (429)'],
    [500, 'unavailable', 'the service failed (500)'],
  ])('does not quote a response of %i that repeats the request', async (status, code, message) => {
    await using echo = await startEchoServer({ tls: emulator.tlsFiles, status })
    const connectionString = `endpoint=https://localhost:${echo.port}/;accesskey=${emulator.accessKey}`
    const echoed = await createCommunicationIdentities({ connectionString }, { sdk, deadlineMs: 2_000 })
    await expect(echoed.create()).rejects.toMatchObject({ code, message })
    await expect(echoed.getTeamsAssignment(principal)).rejects.toMatchObject({ code, message })
    expect(echo.secrets).not.toEqual([])
  })

  it('retries the calls for Teams assignments, and does not treat 403 as rejected credentials', async () => {
    for (const status of [500, 429]) emulator.faults.add({ status, count: 1 })
    await identities.putTeamsAssignment(principal, { principalType: 'user', clientIds: [principal.objectId] })
    expect(statuses()).toEqual([500, 429, 201])
    emulator.faults.add({ status: 403 })
    await expect(identities.deleteTeamsAssignment(principal)).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringMatching(/^the service rejected the request \(403/),
    })
    await expect(identities.create()).rejects.toMatchObject({ code: 'credentials-rejected' })
  })

  it('fails when the response to a new assignment is 404', async () => {
    emulator.faults.add({ status: 404 })
    const assignment = { principalType: 'user', clientIds: [principal.objectId] } as const
    await expect(identities.putTeamsAssignment(principal, assignment)).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringMatching(/^the service rejected the request \(404/),
    })
  })

  it('fails at its deadline', async () => {
    emulator.faults.add({ latencyMs: 60_000 })
    const late = { code: 'unavailable', message: 'no response from the service within 200 ms' }
    await expect(identities.issueToken(id, ['chat'], { deadlineMs: 200 })).rejects.toMatchObject(late)
    await expect(identities.getTeamsAssignment(principal, { deadlineMs: 200 })).rejects.toMatchObject(late)
    emulator.faults.clear()
    emulator.faults.add({ status: 500 })
    await expect(identities.issueToken(id, ['chat'], { deadlineMs: 1_000 })).rejects.toMatchObject({
      code: 'unavailable',
    })
  })

  it("aborts at its caller's signal, in flight and between attempts", async () => {
    const reason = new Error('aborted')
    for (const fault of [{ latencyMs: 60_000 }, { status: 429, retryAfterSeconds: 9 }]) {
      emulator.faults.clear()
      emulator.requests.clear()
      emulator.faults.add(fault)
      const controller = new AbortController()
      const call = identities.issueToken(id, ['chat'], { signal: controller.signal })
      const isStarted = () =>
        'status' in fault ? statuses().includes(fault.status) : emulator.faults.list()[0]!.appliedCount > 0
      await vi.waitUntil(isStarted, 30_000)
      const start = performance.now()
      controller.abort(reason)
      await expect(call).rejects.toBe(reason)
      expect(performance.now() - start).toBeLessThan(5_000)
    }
    await expect(identities.create({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('reports a refused connection', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    server.close()
    const connectionString = `endpoint=https://localhost:${port}/;accesskey=AAAA`
    const unreachable = await createCommunicationIdentities({ connectionString }, { sdk, deadlineMs: 2_000 })
    await expect(unreachable.create()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
      hadNoEffect: true,
    })
  })

  it('reports an untrusted certificate, and what to do', async () => {
    const { stdout } = await runProgram(
      'await identities.create({ deadlineMs: 1000 }).catch((error) => console.log(error.code, error.message))',
      { NODE_EXTRA_CA_CERTS: '' },
    )
    expect(stdout).toMatch(/^unavailable the certificate .* is not trusted .*NODE_EXTRA_CA_CERTS\n$/)
  })

  it('leaves no timer and no unhandled rejection after its calls', async () => {
    emulator.faults.add({ operation: 'issueAccessToken', latencyMs: 120_000 })
    emulator.faults.add({ operation: 'createIdentity', status: 429, retryAfterSeconds: 60 })
    const { stdout, stderr } = await runProgram(
      `const calls = [
        identities.issueToken(process.env.ID, ['chat'], { deadlineMs: 300 }),
        identities.issueToken(process.env.ID, ['chat'], { signal: AbortSignal.timeout(300) }),
        identities.create({ deadlineMs: 90_000, signal: AbortSignal.timeout(300) }),
      ]
      console.log((await Promise.allSettled(calls)).map(({ reason }) => reason.name).join())`,
      { NODE_EXTRA_CA_CERTS: emulator.caPath, ID: id },
    )
    expect({ stdout, stderr }).toEqual({ stdout: 'CommunicationIdentityError,TimeoutError,TimeoutError\n', stderr: '' })
  })

  it.each([-5000, 0, 5000])('revokes only earlier tokens with a clock %d ms off', async (skewMs) => {
    const { stdout } = await runProgram(
      `const now = Date.now
      Date.now = () => now() + Number(process.env.SKEW_MS)
      const issue = async () => (await identities.issueToken(process.env.ID, ['chat'])).token
      const before = await issue()
      await identities.revokeTokens(process.env.ID)
      console.log(before + ' ' + (await issue()))`,
      { NODE_EXTRA_CA_CERTS: emulator.caPath, ID: id, SKEW_MS: String(skewMs) },
    )
    expect(
      stdout
        .trim()
        .split(' ')
        .map((token) => emulator.introspect(token).state),
    ).toEqual(['revoked', 'valid'])
  })

  /** Runs a script that has to end within half a minute. */
  function runProgram(script: string, environment: Record<string, string>) {
    const port = JSON.stringify(new URL('../src/index.ts', import.meta.url).href)
    const target = '{ connectionString: process.env.CONNECTION_STRING }'
    const preamble = `import { createCommunicationIdentities } from ${port}
      const identities = await createCommunicationIdentities(${target}, { sdk: '${sdk}' })`
    return promisify(execFile)(process.execPath, ['--input-type=module', '-e', `${preamble}\n${script}`], {
      env: { ...process.env, CONNECTION_STRING: emulator.connectionString, ...environment },
      timeout: 30_000,
    })
  }
})
