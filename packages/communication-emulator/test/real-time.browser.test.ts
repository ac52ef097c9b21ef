import { createServer } from 'node:http'
import type { ChatClient } from '@azure/communication-chat'
import type { Page } from '@acs-kit/test-support/browser'
import { listenLocally, type LocalServer } from '@acs-kit/test-support/local-server'
import { hasTrustingBrowser, launchTrustingBrowser } from '@acs-kit/test-support/trusting-browser'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { useEmulator } from './emulator-fixture.ts'

declare global {
  var chat: { ChatClient: typeof ChatClient }
  var client: ChatClient
  /** Events that the page received, in order. */
  var received: { readonly name: string; readonly event: unknown }[]
  function getAccessToken(): Promise<string>
}

const eventNames = [
  'chatThreadCreated',
  'chatThreadPropertiesUpdated',
  'participantsAdded',
  'chatMessageReceived',
  'chatMessageEdited',
  'chatMessageDeleted',
  'typingIndicatorReceived',
  'readReceiptReceived',
  'participantsRemoved',
  'chatThreadDeleted',
] as const

const topic = '100% of "x" %41 Größe & 日本'

/** The newest version of the SDK, and the first one that asks the endpoint for the signaling. */
const sdks = ['@azure/communication-chat', 'communication-chat-1.5'] as const

const fixture = useEmulator()

async function buildPage(sdk: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: `export { ChatClient } from '${sdk}'`, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'iife',
    globalName: 'chat',
    define: { global: 'globalThis' },
    write: false,
  })
  const script = outputFiles[0]!.text.replaceAll('</script', String.raw`<\/script`)
  return `<!doctype html><meta charset="utf-8"><script>${script}</script>`
}

describe.runIf(hasTrustingBrowser)(
  'a page of another origin, in a browser that trusts the certificate authority',
  () => {
    const open = new AsyncDisposableStack()
    let server: LocalServer
    let launched: Awaited<ReturnType<typeof launchTrustingBrowser>>

    beforeAll(async () => {
      const pages = new Map<string | undefined, string>()
      for (const sdk of sdks) pages.set(`/${sdk}`, await buildPage(sdk))
      server = open.use(
        await listenLocally(
          createServer(({ url }, response) => response.setHeader('Content-Type', 'text/html').end(pages.get(url))),
        ),
      )
      launched = open.adopt(await launchTrustingBrowser(fixture.emulator.caPath), (browser) => browser.close())
    })
    afterAll(() => open.disposeAsync())

    /** Opens a page that receives the events of a user. */
    async function openPage(getToken: () => string | Promise<string>, sdk: string = sdks[0]): Promise<Page> {
      const page = await (await launched.newContext()).newPage()
      await page.goto(`http://localhost:${server.port}/${sdk}`)
      await page.exposeFunction('getAccessToken', getToken)
      await page.evaluate((endpoint) => {
        const getCredential = async () => ({
          token: await getAccessToken(),
          expiresOnTimestamp: Date.now() + 3_600_000,
        })
        globalThis.client = new globalThis.chat.ChatClient(endpoint, { getToken: getCredential, dispose() {} })
        globalThis.received = []
      }, fixture.emulator.endpoint)
      await start(page)
      return page
    }

    /** Starts the notifications, and waits for the connection. */
    async function start(page: Page): Promise<void> {
      await page.evaluate(async (names) => {
        client.on('realTimeNotificationConnected', () => received.push({ name: 'connected', event: undefined }))
        client.on('realTimeNotificationDisconnected', () => received.push({ name: 'disconnected', event: undefined }))
        await client.startRealtimeNotifications()
        for (const name of names) client.on(name as 'chatMessageReceived', (event) => received.push({ name, event }))
      }, eventNames)
      await waitFor(page, 'connected')
    }

    /** Waits until the last event of a page is this one, and returns it. */
    async function waitFor(page: Page, name: string): Promise<unknown> {
      await page.waitForFunction((expected) => received.at(-1)?.name === expected, name)
      return page.evaluate(() => received.at(-1)!.event)
    }

    async function createPerson() {
      const id = await fixture.createIdentity()
      return { id, token: await fixture.issueToken(id) }
    }

    it.each(sdks)('receives all events, also those that its user causes: %s', async (sdk) => {
      const [alice, bob, carol] = [await createPerson(), await createPerson(), await createPerson()]
      const page = await openPage(() => alice.token, sdk)
      const bobsPage = await openPage(() => bob.token, sdk)
      await page.evaluate(
        async ({ subject, ids: [bobsId, carolsId] }) => {
          const participantFor = (id: string) => ({ id: { communicationUserId: id } })
          const options = { participants: [{ ...participantFor(bobsId!), displayName: 'Bob %42' }] }
          const { chatThread } = await client.createChatThread({ topic: 'a' }, options)
          const thread = client.getChatThreadClient(chatThread!.id)
          await thread.updateTopic(subject)
          await thread.addParticipants({ participants: [participantFor(carolsId!)] })
          const { id } = await thread.sendMessage(
            { content: 'Hello %41' },
            { senderDisplayName: 'Alice', metadata: { a: '%41' } },
          )
          await thread.updateMessage(id, { content: 'Bye' })
          await thread.sendReadReceipt({ chatMessageId: id })
          await thread.deleteMessage(id)
          await thread.sendTypingNotification()
          await thread.removeParticipant({ communicationUserId: carolsId! })
          await client.deleteChatThread(chatThread!.id)
        },
        { subject: topic, ids: [bob.id, carol.id] },
      )
      for (const own of [page, bobsPage]) {
        await waitFor(own, 'chatThreadDeleted')
        const events = await own.evaluate(() => received)
        expect(events.map(({ name }) => name).toSorted()).toEqual(['connected', ...eventNames].toSorted())
        const getEvent = (name: string) => events.find((event) => event.name === name)?.event
        const sender = { kind: 'communicationUser', communicationUserId: alice.id }
        const common = { sender, senderDisplayName: 'Alice', type: 'Text' }
        const recipient = { kind: 'communicationUser', communicationUserId: own === page ? alice.id : bob.id }
        expect(getEvent('chatMessageReceived')).toMatchObject({
          ...common,
          recipient,
          message: 'Hello %41',
          metadata: { a: '%41' },
        })
        expect(getEvent('chatMessageEdited')).toMatchObject({
          ...common,
          recipient,
          message: 'Bye',
          editedOn: expect.any(Date) as Date,
        })
        expect(getEvent('chatMessageDeleted')).toMatchObject({
          ...common,
          recipient,
          deletedOn: expect.any(Date) as Date,
        })
        expect(getEvent('typingIndicatorReceived')).toMatchObject({ sender, recipient })
        expect(getEvent('readReceiptReceived')).toMatchObject({ sender, recipient, readOn: expect.any(Date) as Date })
        expect(getEvent('chatThreadCreated')).toMatchObject({
          properties: { topic: 'a' },
          createdBy: { id: sender },
          participants: [{ id: sender }, { id: { communicationUserId: bob.id }, displayName: 'Bob %42' }],
        })
        expect(getEvent('chatThreadPropertiesUpdated')).toMatchObject({
          properties: { topic },
          updatedBy: { id: sender },
        })
        expect(getEvent('participantsAdded')).toMatchObject({
          participantsAdded: [{ id: { communicationUserId: carol.id } }],
        })
        expect(getEvent('participantsRemoved')).toMatchObject({
          participantsRemoved: [{ id: { communicationUserId: carol.id } }],
        })
        expect(getEvent('chatThreadDeleted')).toMatchObject({ deletedBy: { id: sender } })
      }
    })

    it('reconnects after its connection is cut, and misses the event', async () => {
      const { emulator } = fixture
      const alice = await createPerson()
      const page = await openPage(() => alice.token)
      const { id: threadId } = emulator.chat.createThread({ topic, createdBy: alice.id })
      await waitFor(page, 'chatThreadCreated')
      const message = { threadId, communicationUserId: alice.id }
      emulator.faults.add({ operation: 'chatMessageReceived', reset: true, count: 1 })
      emulator.chat.sendMessage({ ...message, content: 'lost' })
      await waitFor(page, 'connected')
      emulator.chat.sendMessage({ ...message, content: 'received' })
      expect(await waitFor(page, 'chatMessageReceived')).toMatchObject({ message: 'received' })
      expect(await page.evaluate(() => received.map(({ name }) => name))).toEqual([
        'connected',
        'chatThreadCreated',
        'disconnected',
        'connected',
        'chatMessageReceived',
      ])
    })

    it('stops and starts', async () => {
      const { emulator } = fixture
      const alice = await createPerson()
      const page = await openPage(() => alice.token)
      await page.evaluate(() => client.stopRealtimeNotifications())
      await expect.poll(() => emulator.chat.connections()).toEqual([])
      await page.evaluate(() => void received.splice(0))
      await start(page)
      emulator.chat.createThread({ topic, createdBy: alice.id })
      await waitFor(page, 'chatThreadCreated')
    })

    it('reports a throttled request without a retry, because it cannot read Retry-After', async () => {
      const alice = await createPerson()
      const page = await openPage(() => alice.token)
      fixture.emulator.faults.add({ operation: 'listChatThreads', status: 429, retryAfterSeconds: 1, count: 1 })
      const result = await page.evaluate(() =>
        client
          .listChatThreads()
          .next()
          .catch((error: { statusCode: number }) => error.statusCode),
      )
      expect(result).toBe(429)
    })

    it('requests a new token and reconnects when its token is revoked', async () => {
      const { emulator } = fixture
      const alice = await createPerson()
      let { token } = alice
      const page = await openPage(async () => {
        if (emulator.introspect(token).state !== 'valid') token = await fixture.issueToken(alice.id)
        return token
      })
      await fixture.call({ target: `/identities/${alice.id}/:revokeAccessTokens?api-version=2023-10-01` })
      await page.waitForFunction(() => received.some(({ name }) => name === 'disconnected'))
      await waitFor(page, 'connected')
      expect(token).not.toBe(alice.token)
      emulator.chat.createThread({ topic, createdBy: alice.id })
      await waitFor(page, 'chatThreadCreated')
    })
  },
)
