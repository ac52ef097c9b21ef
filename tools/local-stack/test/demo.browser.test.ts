import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hasBrowser, launchBrowser, type Browser, type BrowserContext, type Page } from '@acs-kit/test-support/browser'
import { HttpClient } from '@acs-kit/test-support/http-client'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { build, preview } from 'vite'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { startLocalStack, type LocalStack } from '../src/local-stack.ts'
import { startTlsProxy } from './tls-proxy.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const demoRoot = dirname(fileURLToPath(import.meta.resolve('@acs-kit/web-demo/package.json')))
const narrow = { width: 360, height: 740 }
const open = new AsyncDisposableStack()
let stack: LocalStack
let demoUrl: string
let serviceUrl: string
let browser: Browser

// The service uses HTTPS and has an origin of its own, as in production.
describe.runIf(hasBrowser)('the demo in a browser', () => {
  beforeAll(async () => {
    stack = open.use(await startLocalStack({ ports: { emulator: 0, service: 0, demo: 0 } }))
    demoUrl = stack.demo!.url
    const proxy = open.use(await startTlsProxy(stack.service.url, stack.emulator.tlsFiles))
    serviceUrl = proxy.url
    browser = open.adopt(await launchBrowser({ args: [proxy.chromiumFlag] }), (launched) => launched.close())
  })
  afterAll(() => open.disposeAsync())

  interface DemoPage extends AsyncDisposable {
    readonly context: BrowserContext
    readonly page: Page
    /** Errors of the page and messages on its console. */
    readonly messages: string[]
    /** Addresses that the page requested or opened. */
    readonly addresses: string[]
    readonly waitForStatus: (text: string | RegExp) => Promise<void>
    readonly click: (name: string) => Promise<void>
    /** Clicks a button and waits until its action has finished. */
    readonly clickAndWait: (name: string) => Promise<void>
  }

  async function openDemo(options: Parameters<Browser['newContext']>[0] = {}): Promise<DemoPage> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const messages: string[] = []
    const addresses: string[] = []
    page.on('console', (message) => message.type() !== 'debug' && messages.push(message.text()))
    page.on('pageerror', (error) => messages.push(error.message))
    page.on('request', (request) => addresses.push(request.url()))
    page.on('framenavigated', (frame) => addresses.push(frame.url()))
    await page.route('**/config.json', async (route) => {
      const config = (await (await route.fetch()).json()) as object
      await route.fulfill({ json: { ...config, serviceUrl } })
    })
    await page.goto(demoUrl)
    const click = (name: string) => page.getByRole('button', { name }).click()
    return {
      context,
      page,
      messages,
      addresses,
      waitForStatus: (text) => page.getByRole('status').filter({ hasText: text }).waitFor(),
      click,
      async clickAndWait(name) {
        await click(name)
        await page.getByRole('button', { name, disabled: false }).waitFor()
      },
      [Symbol.asyncDispose]: () => context.close(),
    }
  }

  async function signIn(demo: DemoPage, user = 'alice'): Promise<void> {
    await demo.click('Sign in')
    await demo.page.getByRole('button', { name: user }).click()
    await demo.waitForStatus('Received a token from the service.')
  }

  const getText = (page: Page, id: string) => page.locator(`#${id}`).textContent()

  it('works by keyboard from sign-in to deletion', async () => {
    await using demo = await openDemo()
    const { page, waitForStatus } = demo
    const pressByKeyboard = async (name: string) => {
      const focused = page.locator('button:focus', { hasText: new RegExp(`^${name}$`) })
      for (let steps = 0; steps < 40; steps++) {
        await page.keyboard.press('Tab')
        if ((await focused.count()) > 0) return page.keyboard.press('Enter')
      }
      throw new Error(`${name} is not reachable by keyboard`)
    }
    await page.getByRole('heading', { name: 'Calling and chat' }).waitFor()
    await pressByKeyboard('Sign in')
    await page.getByRole('button', { name: 'alice' }).waitFor()
    await pressByKeyboard('alice')
    await waitForStatus('Received a token from the service.')
    const identity = await getText(page, 'user')
    const first = await getText(page, 'token')
    expect(identity).toMatch(/^8:acs:/)
    expect(await getText(page, 'remaining')).toMatch(/^\d+ h \d+ min left$/)
    expect(await page.locator('#scopes .scope').allTextContents()).toEqual(['chat', 'voip'])

    await pressByKeyboard('Get a token')
    await waitForStatus('Used the cached token.')
    await pressByKeyboard('Refresh')
    await waitForStatus('Received a new token.')
    await page.getByLabel('Calling').check()
    await waitForStatus('Received a token from the service.')
    expect(await page.locator('#scopes .scope').allTextContents()).toEqual(['voip'])
    const issued = await stack.emulator.tokens({ reveal: true })
    await pressByKeyboard('Revoke')
    await waitForStatus('All your tokens are revoked.')
    for (const { token } of issued) expect(stack.emulator.introspect(token!).state).toBe('revoked')

    await pressByKeyboard('Delete identity')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    expect(stack.emulator.identities()).toHaveLength(1)
    await pressByKeyboard('Delete identity')
    await pressByKeyboard('Delete')
    await waitForStatus('Your identity is deleted.')
    expect(stack.emulator.identities()).toEqual([])
    await pressByKeyboard('Get a token')
    await waitForStatus('Received a token from the service.')
    expect(await getText(page, 'user')).not.toBe(identity)
    expect(await getText(page, 'token')).not.toBe(first)
    const requests = await page.locator('#requests tr td:nth-child(2)').allTextContents()
    expect(requests.toReversed()).toEqual([
      'POST /v1/token',
      'POST /v1/token',
      'POST /v1/token',
      'POST /v1/token/revoke',
      'DELETE /v1/identity',
      'POST /v1/token',
    ])
    await pressByKeyboard('Sign out')
    await page.getByRole('heading', { name: 'Calling and chat' }).waitFor()
    expect(demo.messages).toEqual([])
  })

  it('renews the token when the emulator clock advances', async () => {
    await using demo = await openDemo()
    const { page, clickAndWait } = demo
    await signIn(demo, 'bob')
    const first = await getText(page, 'token')
    await clickAndWait('+12 hours')
    expect(await getText(page, 'remaining')).toMatch(/^(9|1[01]) h/)
    expect(await getText(page, 'token')).toBe(first)
    // The client also renews the sign-in token, which has expired.
    await clickAndWait('To 10 minutes before expiry')
    await expect.poll(() => getText(page, 'token')).not.toBe(first)
    const second = await getText(page, 'token')
    expect(await getText(page, 'remaining')).toMatch(/^2[123] h/)
    await clickAndWait('+12 hours')
    await clickAndWait('+12 hours')
    await expect.poll(() => getText(page, 'token')).not.toBe(second)
    expect(await getText(page, 'remaining')).toMatch(/^2[123] h/)
    await clickAndWait('Back to now')
    await clickAndWait('Refresh')
    expect(await getText(page, 'remaining')).toMatch(/^2[123] h/)
    expect(stack.emulator.clock.offset).toBeLessThan(1000)
    expect(demo.messages.filter((text) => !text.includes('401'))).toEqual([])
  })

  it('drops the tokens and signs in again when the clock is reset', async () => {
    await using demo = await openDemo()
    const { page, clickAndWait } = demo
    await signIn(demo, 'carol')
    for (let step = 0; step < 6; step++) await clickAndWait('+12 hours')
    const future = await getText(page, 'token')
    await clickAndWait('Back to now')
    await demo.waitForStatus('Received a token from the service.')
    expect(await getText(page, 'token')).not.toBe(future)
    expect(await getText(page, 'remaining')).toMatch(/^2[123] h/)
    const session = await page.evaluate<string>('JSON.stringify({ ...sessionStorage })')
    const [, payload] = /access_token[^.]*\.([^.]+)/.exec(session)!
    const { nbf } = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as { nbf: number }
    expect(nbf * 1000).toBeLessThanOrEqual(Date.now())
    await clickAndWait('Refresh')
    await demo.waitForStatus('Received a new token.')
    expect(demo.messages.filter((text) => !text.includes('401'))).toEqual([])

    await page.evaluate(`for (const key of Object.keys(sessionStorage))
      sessionStorage[key] = sessionStorage[key].replace(/"refresh_token":"[^"]+"/, '"refresh_token":"invalid"')`)
    await demo.click('Back to now')
    await page.getByRole('button', { name: 'alice' }).waitFor()
  })

  it('reports that it is offline, uses the cached token and recovers', async () => {
    await using demo = await openDemo()
    const { context, click, waitForStatus } = demo
    await signIn(demo)
    await context.setOffline(true)
    await click('Get a token')
    await waitForStatus('Used the cached token.')
    await click('Revoke')
    await waitForStatus('The token service is unreachable. Check your network connection.')
    await click('Get a token')
    await waitForStatus('Waiting for the token service…')
    await context.setOffline(false)
    await waitForStatus('Received a token from the service.')
    expect(demo.messages.filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([])
  })

  it('reports a slow network and ignores repeated clicks', async () => {
    await using demo = await openDemo()
    const { page, click, waitForStatus } = demo
    await signIn(demo)
    await page.route('**/v1/**', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1500))
      await route.continue()
    })
    const before = await page.locator('#requests tr').count()
    await click('Refresh')
    await page.getByRole('button', { name: 'Refresh' }).click({ force: true })
    await waitForStatus('Waiting for the token service…')
    await waitForStatus('Received a new token.')
    expect(await page.locator('#requests tr').count()).toBe(before + 1)
  })

  it('reports a failed sign-in and allows another attempt', async () => {
    await using demo = await openDemo()
    const { page, waitForStatus } = demo
    await page.goto(`${demoUrl}?error=access_denied&state=unknown`)
    await waitForStatus(/^Sign-in failed/)
    expect(page.url()).toBe(demoUrl)
    await signIn(demo)
  })

  it('stays signed in on reload and keeps secrets out of addresses and other tabs', async () => {
    await using demo = await openDemo()
    const { page, context, waitForStatus, click } = demo
    await signIn(demo, 'carol')
    await page.reload()
    await waitForStatus('Received a token from the service.')
    expect(await getText(page, 'name')).toBe('carol')
    const other = await context.newPage()
    await other.goto(demoUrl)
    await other.getByRole('button', { name: 'Sign in' }).waitFor()
    const issued = (await stack.emulator.tokens({ reveal: true })).map(({ token }) => token!)
    const kept = await page.evaluate<string>('JSON.stringify([{ ...localStorage }, document.cookie])')
    expect(kept).toBe('[{},""]')
    const session = await page.evaluate<string>('JSON.stringify({ ...sessionStorage })')
    for (const token of issued) expect(session).not.toContain(token)
    expect(page.url()).toBe(demoUrl)
    await click('Sign out')
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    expect(demo.addresses.filter((address) => /eyJ/.test(decodeURIComponent(address)))).toEqual([])
    expect(await page.evaluate<string>('JSON.stringify({ ...sessionStorage })')).not.toContain('eyJ')
  })

  it('serves no files of other packages', async () => {
    // Vite reports the rejected requests on the terminal.
    const printed = vi.spyOn(console, 'error').mockReturnValue()
    onTestFinished(() => printed.mockRestore())
    const secret = join(import.meta.dirname, '../package.json')
    expect(readFileSync(secret, 'utf8')).toContain('openid-client')
    // Unlike `fetch`, it sends `..` as it is.
    using client = new HttpClient(Number(new URL(demoUrl).port))
    const relativePath = `/${relative(demoRoot, secret)}`
    for (const path of [`/@fs${secret}`, `/@fs${secret}?raw`, `/@fs${secret}?url`, `${relativePath}?import&raw`]) {
      const { headers, text } = await client.send({ method: 'GET', path, headers: { origin: 'http://localhost:3000' } })
      expect(text, path).not.toContain('openid-client')
      expect(headers['access-control-allow-origin'], path).toBeUndefined()
    }
    expect((await fetch(new URL(`/__open-in-editor?file=${secret}`, demoUrl))).status).toBe(404)
  })

  it('builds static files that load config.json', async () => {
    const outDir = temporaryFolder()
    const options = { root: demoRoot, configFile: false, logLevel: 'error', build: { outDir } } as const
    await build(options)
    const server = await preview({ ...options, preview: { host: '127.0.0.1', port: 0 } })
    onTestFinished(() => server.close())
    await using context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(server.resolvedUrls!.local[0]!)
    await page.getByRole('status').filter({ hasText: 'config.json is missing' }).waitFor()
    writeFileSync(join(outDir, 'config.json'), await (await fetch(new URL('config.json', demoUrl))).text())
    await page.reload()
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    expect(
      readdirSync(join(outDir, 'assets'))
        .map((name) => extname(name))
        .toSorted(),
    ).toEqual(['.css', '.js'])
  })

  it.each([
    ['light', { width: 1200, height: 800 }],
    ['dark', { width: 1200, height: 800 }],
    ['light', narrow],
    ['dark', narrow],
  ] as const)('is readable and accessible: %s, %o', async (colorScheme, viewport) => {
    await using demo = await openDemo({ colorScheme, viewport })
    const { page } = demo
    const checkPage = async () => {
      await page.evaluate(axe)
      const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
        'axe.run()',
      )
      expect(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      const { mean, colours } = await measure(page, await page.screenshot())
      if (colorScheme === 'light') expect(mean).toBeGreaterThan(200)
      else expect(mean).toBeLessThan(60)
      expect(colours).toBeGreaterThan(20)
    }
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    await checkPage()
    await demo.click('Sign in')
    await page.getByRole('button', { name: 'alice' }).waitFor()
    // The emulator's page forbids injected scripts, so only its appearance is checked.
    const { mean } = await measure(page, await page.screenshot())
    expect(mean > 128).toBe(colorScheme === 'light')
    await page.getByRole('button', { name: 'alice' }).click()
    await demo.waitForStatus('Received a token from the service.')
    await checkPage()
    const path = process.env['COMMUNICATION_TEST_SCREENSHOT']
    if (path !== undefined && colorScheme === 'light' && viewport !== narrow)
      await page.screenshot({ path, fullPage: true })
  })

  /** Returns the mean brightness, from 0 to 255, and the number of colours. */
  async function measure(page: Page, screenshot: Buffer): Promise<{ mean: number; colours: number }> {
    const sheet = await page.context().newPage()
    const measured = await sheet.evaluate<{ mean: number; colours: number }>(`(async () => {
      const blob = await (await fetch('data:image/png;base64,${screenshot.toString('base64')}')).blob()
      const image = await createImageBitmap(blob)
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d')
      context.drawImage(image, 0, 0)
      const { data } = context.getImageData(0, 0, image.width, image.height)
      let sum = 0
      const colours = new Set()
      for (let at = 0; at < data.length; at += 4) {
        sum += data[at] + data[at + 1] + data[at + 2]
        colours.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2])
      }
      return { mean: sum / (data.length / 4) / 3, colours: colours.size }
    })()`)
    await sheet.close()
    return measured
  }
})
