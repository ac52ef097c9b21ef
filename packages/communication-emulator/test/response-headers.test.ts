import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { describe, expect, it } from 'vitest'
import { startEmulator, wellKnownTenantId, type Emulator } from '../src/index.ts'
import { credentialFor, subscription } from './arm-fixture.ts'
import { useEmulator } from './emulator-fixture.ts'
import { exchange, send as sendSigned, type WireResponse } from './signed-request.ts'

const fixture = useEmulator()
const origin = 'http://localhost:5173'
const group = `/subscriptions/${subscription}/resourceGroups/group?api-version=2024-03-01`
const identities = '/identities?api-version=2023-10-01'
const threads = '/chat/threads?api-version=2025-03-15'
const megabyte = 'x'.repeat(1024 * 1024)

const planes = [
  { plane: 'the resource manager', method: 'PUT', target: group, operation: 'armPut', check: expectArmHeaders },
  {
    plane: 'the identity routes',
    method: 'POST',
    target: identities,
    operation: 'createIdentity',
    check: expectCors('*'),
  },
  {
    plane: 'sign-in',
    method: 'POST',
    target: `/${wellKnownTenantId}/oauth2/v2.0/token`,
    operation: 'entraToken',
    check: expectCors(origin),
  },
  {
    plane: 'chat',
    method: 'POST',
    target: threads,
    operation: 'createChatThread',
    check: expectChatError,
  },
]

function expectArmHeaders({ headers, text }: WireResponse): void {
  expect(headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(text.length),
    'x-ms-request-id': expect.stringMatching(/^[\da-f-]{36}$/),
  })
  for (const name of ['ms-cv', 'x-azure-ref', 'transfer-encoding']) expect(headers).not.toHaveProperty([name])
}

/** The error is in chat's own envelope, unless it is about a foreign host, which the service does not check. */
function expectChatError(response: WireResponse): void {
  expectCors('*')(response)
  if (response.status !== 421) expect(response.json).toMatchObject({ CommunicationError: { Code: expect.any(String) } })
}

function expectCors(allowed: string) {
  return ({ headers }: WireResponse) => expect(headers['access-control-allow-origin']).toBe(allowed)
}

describe.each(planes)('response headers of $plane', ({ method, target, operation, check }) => {
  const send = (headers: Record<string, string> = {}, payload = '') =>
    exchange(fixture.emulator.endpoint, { method, target, headers: { origin, ...headers }, payload })

  it('sends the same for an injected fault', async () => {
    fixture.emulator.faults.add({ operation, status: 503, count: 1 })
    const response = await send()
    expect(response.status).toBe(503)
    check(response)
    expect(fixture.emulator.requests.list()).toMatchObject([{ status: 503, errorCode: 'InjectedFault' }])
  })

  it('sends the same for a request body that is too large', async () => {
    const response = await send({}, megabyte)
    expect(response.status).toBe(413)
    check(response)
    expect(fixture.emulator.requests.list()).toMatchObject([{ status: 413, errorCode: 'RequestBodyTooLarge' }])
  })

  it('sends the same for a foreign host', async () => {
    const response = await send({ host: 'evil.example' })
    expect(response.status).toBe(421)
    check(response)
  })
})

/** An emulator whose store rejects new identities, resources and threads, and the token of a user. */
async function startFailing(): Promise<{ emulator: Emulator; token: string }> {
  const dataFolder = temporaryFolder()
  const healthy = await startEmulator({ dataFolder })
  const { json } = await sendSigned(healthy.endpoint, {
    target: identities,
    body: { createTokenWithScopes: ['chat'] },
    accessKey: healthy.accessKey,
  })
  await healthy[Symbol.asyncDispose]()
  const database = new DatabaseSync(join(dataFolder, 'emulator.sqlite'))
  for (const table of ['identity', 'arm_resource', 'chat_thread']) {
    database.exec(
      `CREATE TRIGGER no_${table} BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'store failure'); END`,
    )
  }
  database.close()
  return { emulator: await startEmulator({ dataFolder }), token: json.accessToken.token as string }
}

it('sends the headers of the plane when the emulator fails', async () => {
  const { emulator: failing, token: userToken } = await startFailing()
  await using emulator = failing
  const { endpoint, accessKey } = emulator
  const identity = await sendSigned(endpoint, { target: identities, headers: { origin }, accessKey })
  const { token } = await credentialFor(endpoint).getToken(`${endpoint.slice(0, -1)}/.default`)
  const resource = await exchange(endpoint, {
    method: 'PUT',
    target: group,
    headers: { authorization: `Bearer ${token}` },
    payload: '{"location":"westeurope"}',
  })
  const thread = await exchange(endpoint, {
    method: 'POST',
    target: threads,
    headers: { origin, authorization: `Bearer ${userToken}`, 'content-type': 'application/json' },
    payload: '{"topic":"x"}',
  })
  expect([identity.status, resource.status, thread.status]).toEqual([500, 500, 500])
  expectCors('*')(identity)
  expectArmHeaders(resource)
  expectChatError(thread)
})
