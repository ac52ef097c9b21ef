import { hasBrowser, launchBrowser } from '@acs-kit/test-support/browser'
import { describe, expect, it } from 'vitest'
import { checkAppearances, chooseUser, signIn, toDemoPage, useDemo, type DemoPage } from './demo-page.ts'

describe.runIf(hasBrowser)('two people in the demo', () => {
  const fixture = useDemo()
  let pairs = 0

  const getMessages = ({ page }: DemoPage) => page.locator('#messages .text').allTextContents()
  const waitForText = ({ page }: DemoPage, text: string | RegExp) =>
    page.locator('#chat').getByText(text, { exact: true }).waitFor()

  async function openChat(demo: DemoPage): Promise<void> {
    await demo.click('Open chat')
    await waitForText(demo, 'Connected')
  }

  async function say({ page }: DemoPage, text: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Message' }).fill(text)
    await page.keyboard.press('Enter')
  }

  /** Opens the demo for a second person, in another window of the same browser. */
  async function openSecondWindow(demo: DemoPage, user: string): Promise<DemoPage> {
    const opened = demo.context.waitForEvent('page')
    await demo.click('Open a second window')
    const second = toDemoPage(demo.context, await opened)
    await chooseUser(second, user)
    return second
  }

  /** Adds a person to the chat, with the identity on that person's page. */
  async function addByIdentity({ page, click }: DemoPage, person: DemoPage, name: string): Promise<void> {
    await page.getByText('Add a person by identity').click()
    await page.getByLabel('Identity of the person').fill((await person.page.locator('#identity').textContent())!)
    await page.getByLabel('Name of the person').fill(name)
    await click('Add')
  }

  /** Starts a chat of two people, each with a browser context of their own. They have no other chats. */
  async function startChat(options: Parameters<typeof fixture.open>[0] = {}) {
    const contexts = new AsyncDisposableStack()
    const alice = contexts.use(await fixture.open(options))
    const bob = contexts.use(await fixture.open(options))
    const suffix = pairs++ === 0 ? '' : ` ${pairs}`
    await Promise.all([signIn(alice, `Alice${suffix}`), signIn(bob, `Bob${suffix}`)])
    await Promise.all([openChat(alice), openChat(bob)])
    await alice.click('New chat')
    await addByIdentity(alice, bob, `Bob${suffix}`)
    await bob.page.getByRole('textbox', { name: 'Message' }).waitFor()
    return { alice, bob, suffix, [Symbol.asyncDispose]: () => contexts.disposeAsync() }
  }

  it('chat in two windows, from sign-in to leaving', async () => {
    await using carol = await fixture.open()
    await signIn(carol, 'Carol')
    await openChat(carol)
    expect(await carol.page.evaluate('document.activeElement.textContent')).toBe('New chat')
    await carol.click('New chat')
    await waitForText(carol, 'Carol joined')
    const dave = await openSecondWindow(carol, 'Dave')
    await openChat(dave)
    await carol.click('Add Dave')
    await waitForText(carol, 'Dave joined')
    await waitForText(dave, 'Dave joined')

    await say(carol, 'Hello Dave')
    await waitForText(dave, 'Hello Dave')
    await waitForText(carol, 'Read by Dave')
    await dave.page.getByRole('textbox', { name: 'Message' }).pressSequentially('He')
    await waitForText(carol, 'Dave is typing…')
    await say(dave, 'Hello Carol')
    await waitForText(carol, 'Hello Carol')
    expect(await carol.page.locator('#typing').textContent()).toBe('')

    await dave.click('Edit')
    await dave.page.keyboard.press('Escape')
    expect(await dave.page.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('')
    await dave.click('Edit')
    await say(dave, 'Hello, dear Carol')
    await waitForText(carol, 'Hello, dear Carol')
    await carol.click('Delete')
    await waitForText(dave, 'Deleted')
    expect(await getMessages(dave)).toEqual(['Deleted', 'Hello, dear Carol'])
    await carol.page.getByLabel('Topic').fill('Lunch')
    await carol.page.keyboard.press('Enter')
    await waitForText(dave, 'The topic is “Lunch”')
    await expect.poll(() => dave.page.getByLabel('Topic').inputValue()).toBe('Lunch')

    await dave.click('Leave')
    await dave.waitForStatus('You left “Lunch”.')
    await dave.page.getByText(/^No chats/).waitFor()
    await waitForText(carol, 'Dave left')
    expect(await carol.page.getByRole('list', { name: 'Participants' }).textContent()).toBe('Carol (you)')
    expect([...carol.messages, ...dave.messages]).toEqual([])
  })

  it('close the chat for a removed person until they are added again', async () => {
    await using people = await startChat()
    const { alice, bob, suffix } = people
    await alice.click(`Remove Bob${suffix}`)
    await bob.waitForStatus(`Alice${suffix} removed you from the chat.`)
    await bob.page.getByText(/^No chats/).waitFor()
    // The list of chats still contains it.
    await bob.page.reload()
    await waitForText(bob, 'Connected')
    await bob.page.getByText(/^No chats/).waitFor()
    await addByIdentity(alice, bob, `Bob${suffix}`)
    await say(alice, 'Welcome back')
    await waitForText(bob, 'Welcome back')
    expect(await getMessages(bob)).toEqual(['Welcome back'])
  })

  it('see a readable and accessible chat', async () => {
    await using people = await startChat({ viewport: { width: 1280, height: 900 } })
    const { alice, bob } = people
    await say(alice, 'Hi Bob, does your token still work?')
    await waitForText(bob, 'Hi Bob, does your token still work?')
    await say(bob, 'It does, for another 23 hours.')
    await waitForText(alice, 'It does, for another 23 hours.')
    await say(bob, 'Revoke it, and watch me carry on.')
    await waitForText(alice, 'Revoke it, and watch me carry on.')
    await say(alice, 'Done.')
    await waitForText(alice, /^Read by Bob/)
    await bob.page.getByRole('textbox', { name: 'Message' }).fill('You')
    await waitForText(alice, /^Bob.* is typing…/)
    expect(await getMessages(alice)).toHaveLength(4)
    const path = process.env['COMMUNICATION_TEST_SCREENSHOT']
    if (path !== undefined) await alice.page.screenshot({ path, fullPage: true })
    await checkAppearances(alice.page)
  })

  it('stay in the chat on reload', async () => {
    await using people = await startChat()
    const { alice, bob } = people
    await say(alice, 'Before')
    await waitForText(bob, 'Before')
    await bob.page.reload()
    await waitForText(bob, 'Connected')
    expect(await getMessages(bob)).toEqual(['Before'])
    await say(alice, 'After')
    await waitForText(bob, 'After')
  })

  it('receive what they missed while they were offline', async () => {
    await using people = await startChat()
    const { alice, bob } = people
    await bob.context.setOffline(true)
    await waitForText(bob, 'Offline')
    await say(bob, 'Not sent')
    await bob.waitForStatus('You are offline. Check your network connection.')
    await say(alice, 'Missed')
    await waitForText(alice, 'Missed')
    await bob.context.setOffline(false)
    await bob.waitForStatus('Chat is reachable again.')
    await waitForText(bob, 'Missed')
    await waitForText(bob, 'Connected')
    await bob.click('Send')
    await waitForText(alice, 'Not sent')
    expect(await getMessages(alice)).toEqual(['Missed', 'Not sent'])
  })

  it('carry on with new tokens after theirs have expired', async () => {
    await using people = await startChat()
    const { alice, bob } = people
    const { clock } = fixture.stack.emulator
    const claims = await alice.page.locator('#claims dl').textContent()
    clock.advance(Number(/exp(\d{10})/.exec(claims!)![1]) * 1000 - clock.now())
    await alice.waitForStatus('Chat rejected the token (401).')
    await waitForText(alice, 'Connected')
    await say(alice, 'Still there?')
    await waitForText(bob, 'Still there?')
    await say(bob, 'Yes')
    await waitForText(alice, 'Yes')
    expect(await getMessages(alice)).toEqual(['Still there?', 'Yes'])
    await alice.clickAndWait('Back to now')
    const state = await fetch(`${fixture.url}_emulator/clock`)
    expect(await state.json()).toMatchObject({ offsetMilliseconds: 0 })
  })

  it('carry on with a new token after another device revoked theirs', async () => {
    await using people = await startChat()
    const { alice, bob, suffix } = people
    const revoked = await alice.page.locator('#token').textContent()
    await using other = await fixture.open()
    await signIn(other, `Alice${suffix}`)
    // When the page receives the new token, Azure's client has already given up.
    fixture.stack.emulator.faults.add({ operation: 'listChatThreads', latencyMs: 5000, count: 1 })
    await other.click('Revoke')
    await alice.waitForStatus('Chat rejected the token (401).')
    expect(await alice.page.locator('#token').textContent()).not.toBe(revoked)
    expect(await alice.page.locator('#snippet').textContent()).toContain('tokens.invalidate()')
    await waitForText(alice, 'Connected')
    await say(alice, 'Still there?')
    await waitForText(bob, 'Still there?')
    await waitForText(alice, /^Read by Bob/)
  })

  it('connect again as soon as they have a token after their sign-in expired', async () => {
    await using people = await startChat()
    const { alice, bob } = people
    const { clock } = fixture.stack.emulator
    const dayAndHourMs = 25 * 60 * 60_000
    clock.advance(dayAndHourMs)
    await alice.waitForStatus('Your sign-in has expired.')
    await bob.waitForStatus('Your sign-in has expired.')
    // Azure's client requests a token three times, then gives up.
    for (const { page } of [alice, bob]) {
      const failed = page.locator('#requests li:has(.failed)', { hasText: '/v1/token' })
      await failed.nth(2).waitFor()
    }
    clock.advance(-dayAndHourMs)
    await Promise.all([alice.click('Refresh'), bob.click('Refresh')])
    await Promise.all([waitForText(alice, 'Connected'), waitForText(bob, 'Connected')])
    await say(alice, 'Still there?')
    await waitForText(bob, 'Still there?')
    await waitForText(alice, 'Still there?')
    expect(await getMessages(bob)).toEqual(['Still there?'])
  })

  it('send a message once if chat limits them', async () => {
    await using people = await startChat()
    const { alice, bob } = people
    fixture.stack.emulator.faults.add({ operation: 'sendChatMessage', status: 429, retryAfterSeconds: 1, count: 1 })
    await say(alice, 'Patience')
    await alice.waitForStatus('Too many chat requests. Try again in a moment.')
    await alice.click('Retry')
    await alice.waitForStatus('The retry succeeded.')
    await waitForText(bob, 'Patience')
    expect(await getMessages(bob)).toEqual(['Patience'])
  })

  it('lose their chats when they delete their identity', async () => {
    await using people = await startChat()
    const { alice } = people
    const identity = await alice.page.locator('#identity').textContent()
    await alice.click('Delete identity')
    await alice.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await alice.waitForStatus('Your identity is deleted.')
    await openChat(alice)
    await alice.page.getByText(/^No chats/).waitFor()
    expect(await alice.page.locator('#identity').textContent()).not.toBe(identity)
  })

  it('learn how to trust the emulator if its certificate is unknown', async () => {
    await using browser = await launchBrowser()
    await using context = await browser.newContext()
    // The proxy of the service also has the emulator's certificate, so this browser connects without it.
    const config = (await (await fetch(new URL('config.json', fixture.url))).json()) as object
    const { url: serviceUrl } = fixture.stack.service
    await context.route('**/config.json', (route) => route.fulfill({ json: { ...config, serviceUrl } }))
    const alice = toDemoPage(context, await context.newPage())
    await alice.page.goto(fixture.url)
    await signIn(alice, 'Alice')
    await alice.click('Open chat')
    await alice.waitForStatus('The browser cannot reach the emulator’s chat.')
    const address = `${new URL(fixture.stack.communicationEndpoint).origin}/_emulator/`
    expect(await alice.page.getByRole('link', { name: address }).getAttribute('href')).toBe(address)
    await alice.page.getByRole('button', { name: 'Retry' }).waitFor()
  })
})
