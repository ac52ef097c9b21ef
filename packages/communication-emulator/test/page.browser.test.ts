import { ChatClient } from '@azure/communication-chat'
import { AzureCommunicationTokenCredential } from '@azure/communication-common'
import { hasBrowser, launchBrowser, type Browser, type Page } from '@acs-kit/test-support/browser'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startEmulator } from '../src/index.ts'
import { useEmulator } from './emulator-fixture.ts'
import { ownAddress } from './own-address.ts'

const day = 24 * 60 * 60_000
const createTarget = '/identities?api-version=2023-10-01'

describe.runIf(hasBrowser)('the page of the emulator', () => {
  const fixture = useEmulator()
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  /** Opens a view in a new window. The test fails if the page reports an error, such as a violation of its policy. */
  async function open(view = '', { endpoint }: { endpoint: string } = fixture.emulator): Promise<Page> {
    // The certificate authority of the emulator is not among the trusted roots.
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', ({ message }) => errors.push(message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !/ERR_CONNECTION_REFUSED|status of 4\d\d/.test(message.text()))
        errors.push(message.text())
    })
    onTestFinished(async () => {
      await context.close()
      expect(errors).toEqual([])
    })
    await page.goto(`${endpoint}_emulator/#/${view}`)
    return page
  }

  /** Connects a user of chat with the SDK, which supports this in browsers only. */
  async function connectChat(page: Page, token: string): Promise<void> {
    const contents = `
      export { ChatClient } from '@azure/communication-chat'
      export { AzureCommunicationTokenCredential } from '@azure/communication-common'`
    const stdin = { contents, resolveDir: import.meta.dirname }
    const { outputFiles } = await build({ stdin, bundle: true, format: 'iife', globalName: 'azure', write: false })
    // The SDK needs a page of HTTPS.
    await page.goto(fixture.emulator.endpoint)
    await page.addScriptTag({ content: outputFiles[0]!.text })
    const credential = `new azure.AzureCommunicationTokenCredential(${JSON.stringify(token)})`
    const chatClient = `new azure.ChatClient(${JSON.stringify(fixture.emulator.endpoint)}, ${credential})`
    await page.evaluate(`${chatClient}.startRealtimeNotifications()`)
    await expect.poll(() => fixture.emulator.chat.connections()).toHaveLength(1)
  }

  const row = (page: Page, text: string | RegExp) => page.locator('tbody tr', { hasText: text })
  /** Rows of requests with a status. */
  const rowOf = (page: Page, status: string) => row(page, '').filter({ has: page.getByText(status, { exact: true }) })
  const click = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
  /** Confirms the action of a button in the dialog that it opens. */
  const confirm = async (page: Page, name: string) => {
    await click(page, name)
    await page.getByRole('dialog').getByRole('button', { name, exact: true }).click()
  }
  const notice = (page: Page, text: string) => page.locator('#notice', { hasText: text }).waitFor()

  it.runIf(ownAddress)('asks on another machine for the administration token, once in a tab', async () => {
    const administrationToken = 'a-token-of-the-user'
    await using emulator = await startEmulator({ hostnames: [ownAddress!], administrationToken })
    const page = await open('faults', { endpoint: emulator.endpoint.replace('localhost', ownAddress!) })
    const token = page.getByRole('textbox', { name: 'Token' })
    await token.fill(`${administrationToken}x`)
    await click(page, 'Continue')
    await expect.poll(() => token.inputValue()).toBe('')
    await token.fill(administrationToken)
    await click(page, 'Continue')
    await page.getByRole('heading', { name: 'Faults' }).waitFor()
    await confirm(page, 'Reset')
    await notice(page, 'Reset the emulator.')
    await page.reload()
    await page.getByRole('heading', { name: 'Faults' }).waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(await page.content()).not.toContain(administrationToken)
  })

  it('lists the newest requests of an identity, with a link to all of them', async () => {
    const id = await fixture.createIdentity()
    for (let count = 0; count < 21; count++) await fixture.issueToken(id)
    const page = await open(`identities/${encodeURIComponent(id)}`)
    await page.getByRole('link', { name: 'All requests with this id' }).waitFor()
    expect(await row(page, 'issueAccessToken').count()).toBe(20)
    await page.getByRole('link', { name: 'All requests with this id' }).click()
    await page.getByRole('heading', { name: 'Requests', exact: true }).waitFor()
    await expect.poll(() => row(page, 'issueAccessToken').count()).toBe(21)
  })

  it('names preflights instead of their long addresses', async () => {
    const preflight = { 'Access-Control-Request-Method': 'GET', Origin: 'https://app.example.test' }
    await fetch(`${fixture.emulator.endpoint}chat/threads?api-version=2025-03-15`, {
      method: 'OPTIONS',
      headers: preflight,
    })
    const page = await open()
    await row(page, 'CORS preflight').getByText('/chat/threads').waitFor()
    expect(await page.getByRole('link', { name: 'CORS preflight', exact: true }).count()).toBe(1)
  })

  it('shows the state of a token, and its text only when revealed', async () => {
    const token = await fixture.issueToken(await fixture.createIdentity())
    const page = await open('tokens')
    await row(page, 'valid').waitFor()
    expect(await page.content()).not.toContain(token)
    await click(page, 'Reveal')
    const dialog = page.getByRole('dialog', { name: 'Access token' })
    expect(await dialog.locator('code').textContent()).toBe(token)
    expect(await dialog.locator('pre').textContent()).toContain('"acsScope": "chat"')
    await dialog.getByRole('link').click()
    await page.getByRole('heading', { name: 'Identity', exact: true }).waitFor()
    expect(await dialog.isVisible()).toBe(false)
    await page.reload()
    await row(page, 'valid').waitFor()
    expect(await page.content()).not.toContain(token)
    fixture.emulator.resources[0]!.regenerateKey('primary')
    await row(page, 'revoked').waitFor()
  })

  it('inspects a token', async () => {
    const id = await fixture.createIdentity()
    const token = await fixture.issueToken(id)
    const page = await open('tokens')
    await page.getByLabel('Text of a token').fill(token)
    await click(page, 'Inspect')
    await page.getByRole('link', { name: id, exact: true }).waitFor()
    const result = await page.locator('section', { hasText: 'Inspect a token' }).getByRole('status').innerText()
    expect(result.split(/\s+/)).toEqual(expect.arrayContaining(['valid', 'chat', 'default', 'primary']))
  })

  it('shows why a request was rejected, with the string to sign', async () => {
    await fixture.call({
      target: createTarget,
      accessKey: 'AAAA',
      headers: { 'x-ms-hmac-string-to-sign-base64': Buffer.from('POST\n/other\nvalues').toString('base64') },
    })
    const page = await open()
    await row(page, '401').getByText('SignatureMismatch').waitFor()
    await page.getByRole('link', { name: 'createIdentity' }).click()
    await page.getByText('The client signed a different string: line 2 differs.').waitFor()
    const lines = await page.locator('.string-to-sign tbody tr').allInnerTexts()
    expect(lines[1]!.split('\t')).toEqual(['2 Path and query', createTarget, '/other'])
    expect(await page.locator('.different').count()).toBe(2)
    await page.reload()
    await page.getByText('line 2 differs').waitFor()
  })

  it('filters requests, and keeps filter and place in a reload and on the way back', async () => {
    await fixture.createIdentity()
    await fixture.call({ target: createTarget, accessKey: 'AAAA' })
    await fixture.call({ target: '/identities?api-version=1999-01-01' })
    const page = await open()
    await rowOf(page, '201').waitFor()
    await click(page, 'Rejected')
    await rowOf(page, '201').waitFor({ state: 'detached' })
    await page.getByLabel('Filter requests').fill('unsupported CREATE')
    await rowOf(page, '401').waitFor({ state: 'detached' })
    await page.reload()
    await page.getByText('1 of 3 requests').waitFor()
    expect(await rowOf(page, '400').count()).toBe(1)
    await rowOf(page, '400').getByRole('link').first().click()
    await page.getByRole('link', { name: '← Requests' }).click()
    await page.getByText('1 of 3 requests').waitFor()
    expect(await page.getByLabel('Filter requests').inputValue()).toBe('unsupported CREATE')
    await page.getByLabel('Filter requests').fill('-unsupported')
    await rowOf(page, '401').waitFor()
    await page.getByText('1 of 3 requests').waitFor()
    await page.getByLabel('Filter requests').fill('nothing')
    await page.getByText('No requests match the filter.').waitFor()
  })

  it('links requests, identities and tokens', async () => {
    const id = await fixture.createIdentity()
    await fixture.createIdentity()
    await fixture.issueToken(id, ['voip'])
    const page = await open()
    await row(page, 'issueAccessToken').getByTitle(id).click()
    await page.getByText(id, { exact: true }).waitFor()
    await row(page, 'voip').waitFor()
    await row(page, 'createIdentity').getByRole('link').click()
    await page.getByRole('link', { name: id }).click()
    await row(page, 'voip').waitFor()
    await page.getByRole('link', { name: '← Identities' }).click()
    await page.getByText('2 identities').waitFor()
    await page.getByLabel('Filter identities').fill(id)
    await page.getByText('1 of 2 identities').waitFor()
    expect(await page.getByTitle(id).getAttribute('href')).toBe(`#/identities/${encodeURIComponent(id)}`)
  })

  it('expires a token with the clock, and shows the call as a command', async () => {
    await fixture.issueToken(await fixture.createIdentity())
    const page = await open('clock')
    await page.getByLabel('Unit').selectOption('days')
    const command = await page.locator('.preview code').first().textContent()
    expect(command).toBe(
      `curl -X POST ${fixture.emulator.endpoint}_emulator/clock/advance -d '{"milliseconds":${day}}'`,
    )
    await click(page, 'Advance')
    await page.getByRole('banner').getByText('1 day ahead').waitFor()
    expect(fixture.emulator.clock.offset).toBe(day)
    await page.getByRole('link', { name: 'Tokens' }).click()
    await row(page, 'expired').waitFor()
    await page.getByRole('link', { name: 'Clock', exact: true }).click()
    await click(page, "Back to the machine's time")
    await page.getByRole('banner').getByText('1 day ahead').waitFor({ state: 'detached' })
    expect(fixture.emulator.clock.offset).toBe(0)
    await page.getByLabel('Time in UTC').fill('2030-01-01T00:00:00')
    await click(page, 'Set')
    await notice(page, 'The clock is at 2030-01-01 00:00:00.')
  })

  it('adds a fault, shows how often it applied, and removes it', async () => {
    const page = await open('faults')
    await page.getByRole('combobox', { name: 'Operation', exact: true }).selectOption('createIdentity')
    await page.getByLabel('Status').fill('429')
    await page.getByLabel('Retry-After in seconds').fill('7')
    await click(page, 'Add fault')
    await row(page, 'status 429, Retry-After 7').waitFor()
    expect(await fixture.call({ target: createTarget })).toMatchObject({ status: 429, headers: { 'retry-after': '7' } })
    await row(page, 'createIdentity').getByRole('cell', { name: '1', exact: true }).waitFor()
    await page.getByRole('banner').getByText('1 fault').waitFor()
    await click(page, 'Remove')
    await page.getByText('No faults').waitFor()
    expect(await fixture.call({ target: createTarget })).toMatchObject({ status: 201 })
  })

  it('reports an invalid setting', async () => {
    const page = await open('faults')
    await page.getByLabel('Status').fill('')
    await click(page, 'Add fault')
    await notice(page, 'a fault needs latencyMs, status or reset')
    expect(fixture.emulator.faults.list()).toEqual([])
  })

  it('sets and removes limits', async () => {
    const page = await open('quotas')
    await page.getByLabel('Calls').fill('0')
    await click(page, 'Set limit')
    await row(page, '0 in 30 seconds per resource').waitFor()
    expect(await fixture.call({ target: createTarget })).toMatchObject({ status: 429 })
    await click(page, 'Documented limits')
    await row(page, 'createIdentityWithToken').getByText('1000 in 30 seconds per resource').waitFor()
    await row(page, /^createIdentity1/)
      .getByRole('button')
      .click()
    await notice(page, 'Removed the limit of createIdentity.')
    expect(fixture.emulator.quotas.limits).not.toHaveProperty('createIdentity')
    expect(fixture.emulator.quotas.limits).toHaveProperty('deleteIdentity')
    await click(page, 'No limits')
    await page.getByText('No limits: the emulator').waitFor()
  })

  it('shows threads with messages and requests, and acts as a participant', async () => {
    const { emulator } = fixture
    const [alice, bob] = [emulator.createIdentity(), emulator.createIdentity()]
    const token = await fixture.issueToken(alice)
    const client = new ChatClient(emulator.endpoint, new AzureCommunicationTokenCredential(token))
    const created = await client.createChatThread({ topic: 'Lunch' })
    const threadId = created.chatThread!.id
    await client
      .getChatThreadClient(threadId)
      .sendMessage({ content: '<img src=x onerror=alert(1)>' }, { senderDisplayName: 'Alice' })
    const page = await open(`identities/${encodeURIComponent(alice)}`)
    await page.getByRole('link', { name: 'Lunch' }).click()
    await row(page, '<img src=x onerror=alert(1)>').getByRole('link', { name: 'Alice' }).waitFor()
    await row(page, 'sendChatMessage').waitFor()
    await page.getByLabel('Id of the user').fill(bob)
    await page.getByLabel('Name', { exact: true }).fill('Bob')
    await click(page, 'Add participant')
    await page.getByRole('combobox', { name: 'As' }).selectOption('Bob')
    await page.getByLabel('Message', { exact: true }).fill('Hello')
    await click(page, 'Send')
    await row(page, 'Hello').getByTitle(bob).waitFor()
    expect(emulator.chat.messages(threadId).at(-1)).toMatchObject({ sender: bob, content: { message: 'Hello' } })
    await click(page, 'System')
    await row(page, 'Hello').waitFor({ state: 'detached' })
    await page.reload()
    await row(page, 'topicUpdated').waitFor()
    await row(page, 'createChatThread').getByRole('link').click()
    await page.getByRole('link', { name: threadId }).click()
    await page.getByRole('link', { name: '← Threads' }).click()
    await page.getByText('1 of 1 threads').waitFor()
  })

  it('creates identities and threads', async () => {
    const page = await open('identities')
    await page.getByLabel('Custom id').fill('alice')
    await click(page, 'Create identity')
    await row(page, 'alice').waitFor()
    const [identity] = fixture.emulator.identities()
    await page.getByRole('link', { name: 'Threads' }).click()
    await page.getByLabel('Topic').fill('Lunch')
    await page.getByLabel('Id of its creator').fill(identity!.communicationUserId)
    await click(page, 'Create thread')
    await row(page, 'Lunch').waitFor()
    expect(fixture.emulator.chat.threads()).toMatchObject([{ topic: 'Lunch' }])
  })

  it('lists connections, and shows the events that a fault lost', async () => {
    const { emulator } = fixture
    const alice = emulator.createIdentity()
    const { id: threadId } = emulator.chat.createThread({ topic: 'Lunch', createdBy: alice })
    const client = await browser.newPage({ ignoreHTTPSErrors: true })
    onTestFinished(() => client.close())
    await connectChat(client, await fixture.issueToken(alice))
    const page = await open('faults')
    await page.getByRole('combobox', { name: 'Operation' }).selectOption('chatMessageReceived')
    await page.getByRole('combobox', { name: 'Event' }).selectOption('is lost')
    await click(page, 'Add fault')
    await row(page, 'chatMessageReceived').getByText('lost').waitFor()
    emulator.chat.sendMessage({ threadId, communicationUserId: alice, content: 'Hello' })
    await page.getByRole('link', { name: 'Requests' }).click()
    await row(page, 'chatMessageReceived').getByText('A fault lost the event.').waitFor()
    await page.getByRole('link', { name: 'Connections' }).click()
    await row(page, alice).waitFor()
    await confirm(page, 'Close')
    await notice(page, 'Closed 1 connection.')
    expect(emulator.faults.list()).toMatchObject([{ drop: true, appliedCount: 1 }])
  })

  it('gets a sign-in token, and rotates its key', async () => {
    const page = await open('sign-in')
    await page.getByLabel('User').fill('bob')
    await page.getByLabel('Roles').fill('admin reader')
    await click(page, 'Sign in')
    const dialog = page.getByRole('dialog', { name: 'Sign-in token of bob' })
    const claims = JSON.parse((await dialog.locator('pre').textContent())!)
    expect(claims).toMatchObject({ aud: 'api://acs-kit', roles: ['admin', 'reader'], scp: 'access_as_user' })
    await dialog.getByRole('button', { name: 'Close' }).click()
    await confirm(page, 'Rotate signing key')
    await notice(page, 'Rotated the signing key.')
  })

  it('regenerates a key after a confirmation', async () => {
    const { accessKey } = fixture.emulator
    const page = await open('resources')
    await click(page, 'Regenerate primary')
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    expect(fixture.emulator.accessKey).toBe(accessKey)
    await confirm(page, 'Regenerate primary')
    const shown = page.getByRole('dialog', { name: 'New primary key of default' }).locator('code')
    expect(await shown.textContent()).toBe(fixture.emulator.accessKey)
    expect(fixture.emulator.accessKey).not.toBe(accessKey)
  })

  it('clears the log and resets the emulator', async () => {
    await fixture.createIdentity()
    const page = await open()
    await row(page, '201').waitFor()
    await confirm(page, 'Clear')
    await page.getByText('No requests yet').waitFor()
    expect(fixture.emulator.identities()).toHaveLength(1)
    await confirm(page, 'Reset')
    await notice(page, 'Reset the emulator.')
    expect(fixture.emulator.identities()).toEqual([])
  })

  it('follows the emulator until it is paused', async () => {
    const page = await open('identities')
    await page.clock.install()
    await page.reload()
    await page.getByText('No identities exist.').waitFor()
    const id = await fixture.createIdentity()
    await page.clock.runFor(2000)
    await page.getByTitle(id).waitFor()
    await click(page, 'Live')
    let requests = 0
    page.on('request', () => requests++)
    await page.clock.runFor(60_000)
    expect(requests).toBe(0)
    const next = await fixture.createIdentity()
    await click(page, 'Live')
    await page.getByTitle(next).waitFor()
  })

  it('keeps the focus while other rows appear', async () => {
    const id = await fixture.createIdentity()
    const page = await open('identities')
    await page.getByTitle(id).focus()
    const next = await fixture.createIdentity()
    await page.getByTitle(next).waitFor()
    expect(await page.evaluate('document.activeElement.title')).toBe(id)
  })

  it('is operated with the keyboard', async () => {
    await fixture.issueToken(await fixture.createIdentity())
    const page = await open('tokens')
    await row(page, 'valid').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    for (let stop = 0; stop < 7; stop++) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Reveal')
  })

  it('reports that the emulator stopped, and continues when it is back', async () => {
    const keyFolder = temporaryFolder()
    const first = await startEmulator({ keyFolder })
    const page = await open('faults', first)
    await page.getByText('No faults').waitFor()
    await first[Symbol.asyncDispose]()
    await page.getByRole('alert').getByText('The emulator does not respond: start it again.').waitFor()
    await using second = await startEmulator({ keyFolder, port: Number(new URL(first.endpoint).port) })
    await page.getByRole('alert').waitFor({ state: 'hidden' })
    await click(page, 'Add fault')
    await row(page, 'status 503').waitFor()
    expect(second.faults.list()).toHaveLength(1)
  })
})
