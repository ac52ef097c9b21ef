import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hasBrowser, launchBrowser, type Browser, type BrowserContext, type Page } from '@acs-kit/test-support/browser'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { build, preview } from 'vite'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { startLocalStack, type LocalStack } from '../src/local-stack.ts'
import { startTlsProxy } from './tls-proxy.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const narrow = { width: 360, height: 740 }
const open = new AsyncDisposableStack()
let stack: LocalStack
let demoUrl: string
let serviceUrl: string
let browser: Browser

// Over HTTPS and across origins, as in production.
describe.runIf(hasBrowser)('the demo in a browser', () => {
  beforeAll(async () => {
    stack = open.use(await startLocalStack({ ports: { emulator: 0, service: 0, demo: 0 } }))
    demoUrl = stack.demo!.url
    const proxy = open.use(await startTlsProxy(stack.service.url, stack.emulator.tlsFiles))
    serviceUrl = proxy.url
    browser = open.adopt(await launchBrowser({ args: [proxy.chromiumFlag] }), (launched) => launched.close())
  })
  afterAll(() => open.disposeAsync())

  interface Visit extends AsyncDisposable {
    readonly context: BrowserContext
    readonly page: Page
    /** Console messages of the page, and the addresses that it requested or opened. */
    readonly complaints: string[]
    readonly addresses: string[]
    readonly says: (text: string | RegExp) => Promise<void>
    readonly press: (name: string) => Promise<void>
    /** Clicks a button and waits until its action has finished. */
    readonly act: (name: string) => Promise<void>
  }

  async function visit(options: Parameters<Browser['newContext']>[0] = {}): Promise<Visit> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const complaints: string[] = []
    const addresses: string[] = []
    page.on('console', (message) => message.type() !== 'debug' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => addresses.push(request.url()))
    page.on('framenavigated', (frame) => addresses.push(frame.url()))
    await page.route('**/config.json', async (route) => {
      const config = (await (await route.fetch()).json()) as object
      await route.fulfill({ json: { ...config, serviceUrl } })
    })
    await page.goto(demoUrl)
    const press = (name: string) => page.getByRole('button', { name }).click()
    return {
      context,
      page,
      complaints,
      addresses,
      says: (text) => page.getByRole('status').filter({ hasText: text }).waitFor(),
      press,
      async act(name) {
        await press(name)
        await page.getByRole('button', { name, disabled: false }).waitFor()
      },
      [Symbol.asyncDispose]: () => context.close(),
    }
  }

  async function signIn(visited: Visit, user = 'alice'): Promise<void> {
    await visited.press('Sign in')
    await visited.page.getByRole('button', { name: user }).click()
    await visited.says('Received a token from the service.')
  }

  const textOf = (page: Page, id: string) => page.locator(`#${id}`).textContent()

  it('works by keyboard from sign-in to deletion', async () => {
    await using visited = await visit()
    const { page, says } = visited
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
    await says('Received a token from the service.')
    const identity = await textOf(page, 'user')
    const first = await textOf(page, 'token')
    expect(identity).toMatch(/^8:acs:/)
    expect(await textOf(page, 'remaining')).toMatch(/^\d+ h \d+ min left$/)
    expect(await page.locator('#scopes .scope').allTextContents()).toEqual(['chat', 'voip'])

    await pressByKeyboard('Get a token')
    await says('Used the cached token.')
    await pressByKeyboard('Refresh')
    await says('Received a new token.')
    await page.getByLabel('Calling').check()
    await says('Received a token from the service.')
    expect(await page.locator('#scopes .scope').allTextContents()).toEqual(['voip'])
    const issued = await stack.emulator.tokens({ reveal: true })
    await pressByKeyboard('Revoke')
    await says('All your tokens are revoked.')
    for (const { token } of issued) expect(stack.emulator.introspect(token!).state).toBe('revoked')

    await pressByKeyboard('Delete identity')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    expect(stack.emulator.identities()).toHaveLength(1)
    await pressByKeyboard('Delete identity')
    await pressByKeyboard('Delete')
    await says('Your identity is deleted.')
    expect(stack.emulator.identities()).toEqual([])
    await pressByKeyboard('Get a token')
    await says('Received a token from the service.')
    expect(await textOf(page, 'user')).not.toBe(identity)
    expect(await textOf(page, 'token')).not.toBe(first)
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
    expect(visited.complaints).toEqual([])
  })

  it('renews the token when the emulator clock advances', async () => {
    await using visited = await visit()
    const { page, act } = visited
    await signIn(visited, 'bob')
    const first = await textOf(page, 'token')
    await act('+12 hours')
    expect(await textOf(page, 'remaining')).toMatch(/^(9|1[01]) h/)
    expect(await textOf(page, 'token')).toBe(first)
    // The client refreshes it, and on the way renews the sign-in token, which has expired.
    await act('To 10 minutes before expiry')
    await expect.poll(() => textOf(page, 'token')).not.toBe(first)
    const second = await textOf(page, 'token')
    expect(await textOf(page, 'remaining')).toMatch(/^2[123] h/)
    await act('+12 hours')
    await act('+12 hours')
    await expect.poll(() => textOf(page, 'token')).not.toBe(second)
    expect(await textOf(page, 'remaining')).toMatch(/^2[123] h/)
    await act('Back to now')
    await act('Refresh')
    expect(await textOf(page, 'remaining')).toMatch(/^2[123] h/)
    expect(stack.emulator.clock.offset).toBeLessThan(1000)
    expect(visited.complaints.filter((text) => !text.includes('401'))).toEqual([])
  })

  it('drops the tokens and signs in again when the clock is reset', async () => {
    await using visited = await visit()
    const { page, act } = visited
    await signIn(visited, 'carol')
    for (let step = 0; step < 6; step++) await act('+12 hours')
    const future = await textOf(page, 'token')
    await act('Back to now')
    await visited.says('Received a token from the service.')
    expect(await textOf(page, 'token')).not.toBe(future)
    expect(await textOf(page, 'remaining')).toMatch(/^2[123] h/)
    const session = await page.evaluate<string>('JSON.stringify({ ...sessionStorage })')
    const [, payload] = /access_token[^.]*\.([^.]+)/.exec(session)!
    const { nbf } = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as { nbf: number }
    expect(nbf * 1000).toBeLessThanOrEqual(Date.now())
    await act('Refresh')
    await visited.says('Received a new token.')
    expect(visited.complaints.filter((text) => !text.includes('401'))).toEqual([])

    await page.evaluate(`for (const key of Object.keys(sessionStorage))
      sessionStorage[key] = sessionStorage[key].replace(/"refresh_token":"[^"]+"/, '"refresh_token":"invalid"')`)
    await visited.press('Back to now')
    await page.getByRole('button', { name: 'alice' }).waitFor()
  })

  it('reports that it is offline, uses the cached token and recovers', async () => {
    await using visited = await visit()
    const { context, press, says } = visited
    await signIn(visited)
    await context.setOffline(true)
    await press('Get a token')
    await says('Used the cached token.')
    await press('Revoke')
    await says('The token service is unreachable. Check your network connection.')
    await press('Get a token')
    await says('Waiting for the token service…')
    await context.setOffline(false)
    await says('Received a token from the service.')
    expect(visited.complaints.filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([])
  })

  it('reports a slow network and ignores repeated clicks', async () => {
    await using visited = await visit()
    const { page, press, says } = visited
    await signIn(visited)
    await page.route('**/v1/**', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1500))
      await route.continue()
    })
    const before = await page.locator('#requests tr').count()
    await press('Refresh')
    await page.getByRole('button', { name: 'Refresh' }).click({ force: true })
    await says('Waiting for the token service…')
    await says('Received a new token.')
    expect(await page.locator('#requests tr').count()).toBe(before + 1)
  })

  it('reports a failed sign-in and allows another attempt', async () => {
    await using visited = await visit()
    const { page, says } = visited
    await page.goto(`${demoUrl}?error=access_denied&state=unknown`)
    await says(/^Sign-in failed/)
    expect(page.url()).toBe(demoUrl)
    await signIn(visited)
  })

  it('stays signed in on reload and keeps secrets out of addresses and other tabs', async () => {
    await using visited = await visit()
    const { page, context, says, press } = visited
    await signIn(visited, 'carol')
    await page.reload()
    await says('Received a token from the service.')
    expect(await textOf(page, 'name')).toBe('carol')
    const other = await context.newPage()
    await other.goto(demoUrl)
    await other.getByRole('button', { name: 'Sign in' }).waitFor()
    const issued = (await stack.emulator.tokens({ reveal: true })).map(({ token }) => token!)
    const kept = await page.evaluate<string>('JSON.stringify([{ ...localStorage }, document.cookie])')
    expect(kept).toBe('[{},""]')
    const session = await page.evaluate<string>('JSON.stringify({ ...sessionStorage })')
    for (const token of issued) expect(session).not.toContain(token)
    expect(page.url()).toBe(demoUrl)
    await press('Sign out')
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    expect(visited.addresses.filter((address) => /eyJ/.test(decodeURIComponent(address)))).toEqual([])
    expect(await page.evaluate<string>('JSON.stringify({ ...sessionStorage })')).not.toContain('eyJ')
  })

  it('serves only the files of the page', async () => {
    // Vite reports the rejected requests on the terminal.
    const printed = vi.spyOn(console, 'error').mockReturnValue()
    onTestFinished(() => printed.mockRestore())
    const secret = join(import.meta.dirname, '../package.json')
    for (const path of [`/@fs${secret}`, `/@fs${secret}?raw`, `/@fs${secret}?url`, '/../local/package.json?raw']) {
      const response = await fetch(new URL(path, demoUrl), { headers: { Origin: 'http://localhost:3000' } })
      expect(await response.text(), path).not.toContain('openid-client')
      expect(response.headers.get('Access-Control-Allow-Origin')).toBeNull()
    }
    expect((await fetch(new URL(`/__open-in-editor?file=${secret}`, demoUrl))).status).toBe(404)
  })

  it('builds static files that load config.json', async () => {
    const outDir = temporaryFolder()
    const root = dirname(fileURLToPath(import.meta.resolve('@acs-kit/web-demo/package.json')))
    const options = { root, configFile: false, logLevel: 'error', build: { outDir } } as const
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
    await using visited = await visit({ colorScheme, viewport })
    const { page } = visited
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
    await visited.press('Sign in')
    await page.getByRole('button', { name: 'alice' }).waitFor()
    // The emulator's page forbids injected scripts, so only its appearance is checked.
    const { mean } = await measure(page, await page.screenshot())
    expect(mean > 128).toBe(colorScheme === 'light')
    await page.getByRole('button', { name: 'alice' }).click()
    await visited.says('Received a token from the service.')
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
