import { ChatClient } from '@azure/communication-chat'
import { AzureCommunicationTokenCredential, type CommunicationTokenCredential } from '@azure/communication-common'
import { createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { tokenCredential } from '../src/credential.ts'
import { literalTokenSource } from '../src/index.ts'
import type { FakeService } from './fake-service.ts'
import { Harness, hour } from './harness.ts'
import { VirtualClock } from './virtual-clock.ts'

let app: Harness
let clock: VirtualClock
let service: FakeService

beforeEach(() => {
  // Azure's clients use the machine's clock.
  app = new Harness(new VirtualClock(Date.now()))
  clock = app.clock
  service = app.service
})

it('supplies the chat client, which notices an invalidation within minutes', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  using source = app.createSource()
  const sent: (string | undefined)[] = []
  // Without a chat service, the requests that the client sends are checked.
  const httpClient: HttpClient = {
    sendRequest: async (request) => {
      sent.push(request.headers.get('Authorization'))
      return { request, status: 200, headers: createHttpHeaders(), bodyAsText: '{"value":[]}' }
    },
  }
  const chat = new ChatClient('https://chat.example.com', tokenCredential(source), { httpClient })
  const list = async () => {
    for await (const _thread of chat.listChatThreads());
    await clock.advance(0)
  }
  await list()
  await list()
  source.invalidate()
  vi.setSystemTime(Date.now() + 3.1 * 60_000)
  // The client fetches the new token in parallel with this request.
  await list()
  await list()
  expect(sent).toEqual(['Bearer alice-1', 'Bearer alice-1', 'Bearer alice-1', 'Bearer alice-2'])
  app.user = 'bob'
  source.invalidate()
  vi.setSystemTime(Date.now() + 5 * 60_000)
  await expect(list()).rejects.toMatchObject({ code: 'invalidated' })
  expect(sent).toHaveLength(4)
})

/** Uses a credential like Azure's CallClient. */
class CallAgent {
  readonly #credential: CommunicationTokenCredential

  constructor(credential: CommunicationTokenCredential) {
    if (!(credential instanceof AzureCommunicationTokenCredential)) throw new TypeError('not a credential')
    this.#credential = credential
  }

  async connect(): Promise<string> {
    const { token, expiresOnTimestamp } = await this.#credential.getToken()
    if (expiresOnTimestamp <= Date.now()) throw new Error('the token has expired')
    return token
  }
}

it('supplies a calling client for days', async () => {
  using source = app.createSource()
  const agent = new CallAgent(tokenCredential(source, { scopes: ['voip'] }))
  expect(await agent.connect()).toBe('alice-1')
  service.faults = (at) => (at < start + 23.9 * hour ? 'reset' : undefined)
  const start = clock.now()
  await clock.advance(23.8 * hour)
  expect(await agent.connect()).toBe('alice-1')
  await clock.advance(0.2 * hour)
  expect(await agent.connect()).toBe('alice-2')
  expect(service.requests.every(({ body }) => body.scopes?.join() === 'voip')).toBe(true)
})

it('converts the expiry to the machine time, even if that is wrong', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - hour })
  onTestFinished(() => void vi.useRealTimers())
  using source = app.createSource({ clock: systemClock })
  const { expiresOnTimestamp } = await tokenCredential(source).getToken()
  expect(Math.abs(expiresOnTimestamp - Date.now() - hour / 12)).toBeLessThan(3000)
})

it('rejects another communication identity', async () => {
  using source = app.createSource()
  const credential = tokenCredential(source)
  await credential.getToken()
  app.user = 'bob'
  source.invalidate()
  await expect(credential.getToken()).rejects.toMatchObject({ code: 'invalidated' })
  expect((await tokenCredential(source).getToken()).token).toBe('bob-2')
})

it('rejects after dispose and leaves the source usable', async () => {
  using source = app.createSource()
  const credential = tokenCredential(source)
  credential.dispose()
  await expect(credential.getToken()).rejects.toMatchObject({ code: 'disposed' })
  await expect(source.getToken()).resolves.toBeDefined()
})

it('rejects a pending call on dispose', async () => {
  using source = app.createSource()
  service.faults = () => 'hang'
  const credential = tokenCredential(source)
  const waiting = credential.getToken()
  credential.dispose()
  await expect(waiting).rejects.toMatchObject({ code: 'disposed' })
})

it('ends the wait on abort, also for signals of older libraries', async () => {
  using source = app.createSource()
  service.faults = () => 'hang'
  const credential = tokenCredential(source)
  const controller = new AbortController()
  const waiting = credential.getToken({ abortSignal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  let abort = () => {}
  const old = {
    aborted: false,
    addEventListener: (_: string, listener: () => void) => (abort = listener),
    removeEventListener() {},
  }
  const waitingWithOld = credential.getToken({ abortSignal: old as unknown as AbortSignal })
  await clock.advance(0)
  abort()
  await expect(waitingWithOld).rejects.toMatchObject({ name: 'AbortError' })
})

it('accepts any source', async () => {
  const token = { token: 'a-token', expiresOn: new Date(Date.now() + hour).toISOString() }
  expect(await tokenCredential(literalTokenSource(token)).getToken()).toMatchObject({ token: 'a-token' })
})
