import { ChatClient } from '@azure/communication-chat'
import { AzureCommunicationTokenCredential, type CommunicationTokenCredential } from '@azure/communication-common'
import { createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { tokenCredential } from '../src/credential.ts'
import { literalTokenSource, tokenSource } from '../src/index.ts'
import { FakeService, signInTokenOf } from './fake-service.ts'
import { VirtualClock } from './virtual-clock.ts'

const hour = 3600_000
let clock: VirtualClock
let service: FakeService
let user: string

beforeEach(() => {
  // Azure's clients look at the machine's clock.
  clock = new VirtualClock(Date.now())
  service = new FakeService(clock)
  user = 'alice'
})

function open() {
  return tokenSource({
    url: 'https://tokens.example.com',
    getSignInToken: () => signInTokenOf(user),
    fetch: service.fetch,
    clock,
  })
}

it('goes through Azure’s chat client, and a refresh is seen there within minutes', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  using source = open()
  const sent: (string | undefined)[] = []
  // There is no chat service here: what would go over the wire is what counts.
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
  // It is asked for beside the request that notices.
  await list()
  await list()
  expect(sent).toEqual(['Bearer alice-1', 'Bearer alice-1', 'Bearer alice-1', 'Bearer alice-2'])
  user = 'bob'
  source.invalidate()
  vi.setSystemTime(Date.now() + 5 * 60_000)
  await expect(list()).rejects.toMatchObject({ code: 'invalidated' })
  expect(sent).toHaveLength(4)
})

/** What Azure's CallClient does with a credential. */
class CallAgent {
  readonly #credential: CommunicationTokenCredential

  constructor(credential: CommunicationTokenCredential) {
    if (!(credential instanceof AzureCommunicationTokenCredential)) throw new TypeError('no credential')
    this.#credential = credential
  }

  async connect(): Promise<string> {
    const { token, expiresOnTimestamp } = await this.#credential.getToken()
    if (expiresOnTimestamp <= Date.now()) throw new Error('the token has ended')
    return token
  }
}

it('goes through what takes it as a calling client does, for days', async () => {
  using source = open()
  const agent = new CallAgent(tokenCredential(source, { scopes: ['voip'] }))
  expect(await agent.connect()).toBe('alice-1')
  service.faults = (at) => (at < start + 23.9 * hour ? 'reset' : undefined)
  const start = clock.now()
  await clock.advance(23.8 * hour)
  expect(await agent.connect()).toBe('alice-1')
  await clock.advance(0.2 * hour)
  expect(await agent.connect()).toBe('alice-2')
  expect(service.seen.every(({ body }) => body.scopes?.join() === 'voip')).toBe(true)
})

it('tells the end of a token by the machine’s clock, even if that is wrong', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - hour })
  onTestFinished(() => void vi.useRealTimers())
  using source = tokenSource({
    url: 'https://tokens.example.com',
    getSignInToken: () => signInTokenOf(user),
    fetch: service.fetch,
  })
  const { expiresOnTimestamp } = await tokenCredential(source).getToken()
  expect(Math.abs(expiresOnTimestamp - Date.now() - hour / 12)).toBeLessThan(3000)
})

it('is for one communication identity', async () => {
  using source = open()
  const credential = tokenCredential(source)
  await credential.getToken()
  user = 'bob'
  source.invalidate()
  await expect(credential.getToken()).rejects.toMatchObject({ code: 'invalidated' })
  expect((await tokenCredential(source).getToken()).token).toBe('bob-2')
})

it('ends when it is disposed, and the source goes on', async () => {
  using source = open()
  const credential = tokenCredential(source)
  credential.dispose()
  await expect(credential.getToken()).rejects.toMatchObject({ code: 'disposed' })
  await expect(source.getToken()).resolves.toBeDefined()
})

it('lets go of a wait that is aborted, by whatever signal', async () => {
  using source = open()
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
  const waitingToo = credential.getToken({ abortSignal: old as unknown as AbortSignal })
  await clock.advance(0)
  abort()
  await expect(waitingToo).rejects.toMatchObject({ name: 'AbortError' })
})

it('takes any source', async () => {
  const token = { token: 'a-token', expiresOn: new Date(Date.now() + hour).toISOString() }
  expect(await tokenCredential(literalTokenSource(token)).getToken()).toMatchObject({ token: 'a-token' })
})
