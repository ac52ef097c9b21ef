import { join } from 'node:path'
import { hasBrowser, launchBrowser, type Browser, type BrowserContext, type Page } from '@acs-kit/test-support/browser'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../src/clock.ts'
import type * as Client from '../src/index.ts'
import { FakeService, createSignInToken } from './fake-service.ts'
import { servePage } from './page-server.ts'

declare global {
  var client: typeof Client
  var source: Client.ServiceTokenSource
  var received: string[]
}

let service: FakeService
const open = new AsyncDisposableStack()
let serviceUrl: string
let pageUrl: string
let browser: Browser

describe('in a browser', () => {
  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, '../src/index.ts')],
      bundle: true,
      format: 'esm',
      write: false,
    })
    service = new FakeService(systemClock)
    serviceUrl = open.use(await service.listen()).url
    pageUrl = open.use(await servePage(outputFiles[0]!.text)).url
    browser = open.adopt(await launchBrowser(), (launched) => launched.close())
  })
  afterAll(() => open.disposeAsync())
  beforeEach(() => {
    service.requests.length = 0
    service.latencyMs = 0
    service.faults = () => undefined
  })

  /** Opens a tab with a source of the user's tokens, which records each new token. */
  async function openTab(context: BrowserContext, user: string): Promise<Page> {
    const page = await context.newPage()
    await page.goto(pageUrl)
    await page.evaluate(
      ({ url, signInToken }) => {
        globalThis.received = []
        globalThis.source = globalThis.client.tokenSource({
          url,
          getSignInToken: () => signInToken,
          onToken: ({ token }) => globalThis.received.push(token),
        })
      },
      { url: serviceUrl, signInToken: createSignInToken(user) },
    )
    return page
  }

  const getToken = (page: Page) => page.evaluate(async () => (await globalThis.source.getToken()).token)

  it.runIf(hasBrowser)('shares one request and one refresh between tabs of the same user', async () => {
    await using context = await browser.newContext()
    const user = `alice${Math.random()}`
    const tabs = await Promise.all([openTab(context, user), openTab(context, user), openTab(context, user)])
    service.latencyMs = 200
    const tokens = await Promise.all(tabs.map(getToken))
    expect(new Set(tokens).size).toBe(1)
    expect(service.requests).toHaveLength(1)
    const [first, ...others] = tabs
    await first.evaluate(() => globalThis.source.invalidate())
    const renewed = await getToken(first)
    for (const tab of others) await expect.poll(() => getToken(tab)).toBe(renewed)
    expect(service.requests).toHaveLength(2)
  })

  it.runIf(hasBrowser)('shares nothing between tabs of different users', async () => {
    await using context = await browser.newContext()
    const tabs = [await openTab(context, 'carol'), await openTab(context, 'dave')] as const
    const [carol, dave] = await Promise.all(tabs.map(getToken))
    expect(carol).toMatch(/^carol-/)
    expect(dave).toMatch(/^dave-/)
    await tabs[0].evaluate(() => globalThis.source.invalidate())
    await getToken(tabs[0])
    expect(await getToken(tabs[1])).toBe(dave)
    expect(await tabs[1].evaluate(() => globalThis.received)).toEqual([dave])
  })

  it.runIf(hasBrowser)('continues in another tab when the fetching tab is closed', async () => {
    await using context = await browser.newContext()
    const user = `erin${Math.random()}`
    const [closing, remaining] = [await openTab(context, user), await openTab(context, user)]
    service.latencyMs = 500
    const abandoned = getToken(closing).catch(() => undefined)
    const waiting = getToken(remaining)
    await closing.close()
    await abandoned
    expect(await waiting).toMatch(/^erin/)
  })

  it.runIf(hasBrowser)('can be invalidated after it was disposed', async () => {
    await using context = await browser.newContext()
    const page = await openTab(context, 'judy')
    await getToken(page)
    const end = page.evaluate(() => {
      globalThis.source.dispose()
      globalThis.source.invalidate()
    })
    await expect(end).resolves.toBeUndefined()
  })

  it.runIf(hasBrowser)('retries at once when the tab is online again', async () => {
    await using context = await browser.newContext()
    const page = await openTab(context, `frank${Math.random()}`)
    await page.clock.install()
    const first = await getToken(page)
    await context.setOffline(true)
    await page.clock.fastForward('23:45:00')
    // By then the pauses between attempts are 10 seconds or more.
    await page.clock.runFor(120_000)
    expect(await getToken(page)).toBe(first)
    expect(service.requests).toHaveLength(1)
    await context.setOffline(false)
    await expect.poll(() => service.requests.length).toBe(2)
  })

  it.runIf(hasBrowser)('stores nothing outside the memory of the tab', async () => {
    await using context = await browser.newContext()
    const page = await openTab(context, 'grace')
    await getToken(page)
    const stored = await page.evaluate(async () => [
      localStorage.length,
      sessionStorage.length,
      document.cookie,
      (await indexedDB.databases()).length,
      (await caches.keys()).length,
    ])
    expect(stored).toEqual([0, 0, '', 0, 0])
    expect((await context.storageState()).origins).toEqual([])
  })
})
