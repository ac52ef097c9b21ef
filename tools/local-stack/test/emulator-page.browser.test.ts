import { startEmulator, type Emulator } from '@acs-kit/communication-emulator'
import { hasBrowser, launchBrowser, type Browser, type BrowserContextOptions } from '@acs-kit/test-support/browser'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDemoServer } from '../src/demo-server.ts'
import { findViolations } from './find-violations.ts'

const wide = { width: 1280, height: 800 }
const narrow = { width: 375, height: 740 }

/** Fills every view of the page. Returns the address of each, and of some items. */
async function fillViews(emulator: Emulator): Promise<string[]> {
  const [alice, bob] = [emulator.createIdentity({ customId: 'alice' }), emulator.createIdentity()]
  const { id: threadId } = emulator.chat.createThread({ topic: 'Lunch', createdBy: alice })
  emulator.chat.sendMessage({ threadId, communicationUserId: alice, content: 'Hello' })
  const stringToSign = Buffer.from('POST\n/\nvalues').toString('base64')
  await fetch(`${emulator.endpoint}identities?api-version=2023-10-01`, {
    method: 'POST',
    headers: {
      'x-ms-date': new Date().toUTCString(),
      'x-ms-content-sha256': '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
      'x-ms-hmac-string-to-sign-base64': stringToSign,
      authorization: 'HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=AAAA',
    },
  })
  emulator.faults.add({ operation: 'createIdentity', status: 429, count: 1 })
  emulator.faults.add({ operation: 'chatMessageReceived', drop: true, communicationUserId: bob })
  emulator.quotas.set(true)
  emulator.clock.advance(60_000)
  const views = 'requests identities tokens threads connections clock faults quotas resources sign-in'.split(' ')
  const items = [`identities/${alice}`, `threads/${threadId}`, `requests/${emulator.requests.list()[0]!.id}`]
  return [...views, ...items]
}

describe.runIf(hasBrowser)('the page of the emulator in a browser', () => {
  const open = new AsyncDisposableStack()
  let emulator: Emulator
  let views: string[]
  let browser: Browser
  beforeAll(async () => {
    emulator = open.use(await startEmulator())
    views = await fillViews(emulator)
    browser = open.adopt(await launchBrowser(), (launched) => launched.close())
  })
  afterAll(() => open.disposeAsync())

  async function openPage(options: BrowserContextOptions = {}) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options })
    return { page: await context.newPage(), [Symbol.asyncDispose]: () => context.close() }
  }

  it.each([
    ['light', wide],
    ['dark', wide],
    ['light', narrow],
    ['dark', narrow],
  ] as const)('is readable and accessible: %s, %o', async (colorScheme, viewport) => {
    // The page forbids injected scripts.
    await using opened = await openPage({ colorScheme, viewport, bypassCSP: true })
    const { page } = opened
    await page.goto(`${emulator.endpoint}_emulator/`)
    for (const view of views) {
      await page.evaluate(`location.hash = ${JSON.stringify(`#/${view}`)}`)
      await page.locator('#view').locator('tbody tr, dl, .empty, form').first().waitFor()
      if (view.startsWith('requests/')) await page.getByText('The client signed a different string').waitFor()
      expect(await findViolations(page), view).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), view).toBe(true)
    }
    await page.getByRole('button', { name: 'Reset' }).click()
    await page.getByRole('dialog').waitFor()
    expect(await findViolations(page)).toEqual([])
  })

  it('works at the address of the demo', async () => {
    await using demo = await startDemoServer(emulator, { port: 0 })
    await using opened = await openPage()
    const { page } = opened
    await page.goto(`${demo.url}_emulator/#/faults`)
    await page.getByRole('button', { name: 'Remove', exact: true }).first().click()
    await expect.poll(() => emulator.faults.list()).toHaveLength(1)
  })
})
