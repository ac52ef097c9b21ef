import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
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
describe.runIf(hasBrowser)('the demo, in a browser,', () => {
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
    /** What the page printed that nobody wants to see, and what it asked for under which address. */
    readonly complaints: string[]
    readonly addresses: string[]
    readonly says: (text: string | RegExp) => Promise<void>
    readonly press: (name: string) => Promise<void>
    /** Presses, and waits until the page has done what the button is for. */
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
    await visited.says('The token came from the service.')
  }

  const textOf = (page: Page, id: string) => page.locator(`#${id}`).textContent()

  it('goes from sign-in to deletion, by keyboard alone', async () => {
    await using visited = await visit()
    const { page, says } = visited
    const pressByKeyboard = async (name: string) => {
      const focused = page.locator('button:focus', { hasText: new RegExp(`^${name}$`) })
      for (let steps = 0; steps < 40; steps++) {
        await page.keyboard.press('Tab')
        if ((await focused.count()) > 0) return page.keyboard.press('Enter')
      }
      throw new Error(`${name} is out of the keyboard’s reach`)
    }
    await page.getByRole('heading', { name: 'Calls and chat' }).waitFor()
    await pressByKeyboard('Sign in')
    await page.getByRole('button', { name: 'alice' }).waitFor()
    await pressByKeyboard('alice')
    await says('The token came from the service.')
    const identity = await textOf(page, 'user')
    const first = await textOf(page, 'token')
    expect(identity).toMatch(/^8:acs:/)
    expect(await textOf(page, 'left')).toMatch(/^\d+ h \d+ min left$/)
    expect(await page.locator('#scopes .scope').allTextContents()).toEqual(['chat', 'voip'])

    await pressByKeyboard('Get a token')
    await says('The token came from memory.')
    await pressByKeyboard('Refresh')
    await says('There is a new token.')
    await page.getByLabel('calls').check()
    await says('The token came from the service.')
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
    await pressByKeyboard('Delete it')
    await says('Your identity is deleted.')
    expect(stack.emulator.identities()).toEqual([])
    await pressByKeyboard('Get a token')
    await says('The token came from the service.')
    expect(await textOf(page, 'user')).not.toBe(identity)
    expect(await textOf(page, 'token')).not.toBe(first)
    const requests = await page.locator('#wire tr td:nth-child(2)').allTextContents()
    expect(requests.toReversed()).toEqual([
      'POST /v1/token',
      'POST /v1/token',
      'POST /v1/token',
      'POST /v1/token/revoke',
      'DELETE /v1/identity',
      'POST /v1/token',
    ])
    await pressByKeyboard('Sign out')
    await page.getByRole('heading', { name: 'Calls and chat' }).waitFor()
    expect(visited.complaints).toEqual([])
  })

  it('moves the clock of the emulated Azure, and the token comes anew', async () => {
    await using visited = await visit()
    const { page, act } = visited
    await signIn(visited, 'bob')
    const first = await textOf(page, 'token')
    await act('12 hours on')
    expect(await textOf(page, 'left')).toMatch(/^(9|1[01]) h/)
    expect(await textOf(page, 'token')).toBe(first)
    // It is renewed ahead, and the sign-in token, which has ended by then, on the way.
    await act('Near the token’s end')
    await expect.poll(() => textOf(page, 'token')).not.toBe(first)
    const second = await textOf(page, 'token')
    expect(await textOf(page, 'left')).toMatch(/^2[123] h/)
    await act('12 hours on')
    await act('12 hours on')
    await expect.poll(() => textOf(page, 'token')).not.toBe(second)
    expect(await textOf(page, 'left')).toMatch(/^2[123] h/)
    await act('Back to now')
    await act('Refresh')
    expect(await textOf(page, 'left')).toMatch(/^2[123] h/)
    expect(stack.emulator.clock.offset).toBeLessThan(1000)
    expect(visited.complaints.filter((text) => !text.includes('401'))).toEqual([])
  })

  it('says when it is offline, serves from memory meanwhile, and recovers', async () => {
    await using visited = await visit()
    const { context, press, says } = visited
    await signIn(visited)
    await context.setOffline(true)
    await press('Get a token')
    await says('The token came from memory.')
    await press('Revoke')
    await says('The token service can’t be reached. Is there a network?')
    await press('Get a token')
    await says('Waiting for the token service…')
    await context.setOffline(false)
    await says('The token came from the service.')
    expect(visited.complaints.filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([])
  })

  it('says that it waits when the network is slow, and takes each press once', async () => {
    await using visited = await visit()
    const { page, press, says } = visited
    await signIn(visited)
    await page.route('**/v1/**', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1500))
      await route.continue()
    })
    const before = await page.locator('#wire tr').count()
    await press('Refresh')
    await page.getByRole('button', { name: 'Refresh' }).click({ force: true })
    await says('Waiting for the token service…')
    await says('There is a new token.')
    expect(await page.locator('#wire tr').count()).toBe(before + 1)
  })

  it('says that a sign-in failed, and lets one try again', async () => {
    await using visited = await visit()
    const { page, says } = visited
    await page.goto(`${demoUrl}?error=access_denied&state=unknown`)
    await says(/^The sign-in failed/)
    expect(page.url()).toBe(demoUrl)
    await signIn(visited)
  })

  it('keeps a reload signed in, each tab on its own, and no secret in an address or beyond the tab', async () => {
    await using visited = await visit()
    const { page, context, says, press } = visited
    await signIn(visited, 'carol')
    await page.reload()
    await says('The token came from the service.')
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

  it('serves nothing of the workspace but what the page is made of', async () => {
    // Vite says so on the terminal, as it should.
    const printed = vi.spyOn(console, 'error').mockReturnValue()
    onTestFinished(() => printed.mockRestore())
    const secret = join(import.meta.dirname, '../package.json')
    for (const path of [`/@fs${secret}`, `/@fs${secret}?raw`, `/@fs${secret}?url`, '/../local/package.json?raw']) {
      const answer = await fetch(new URL(path, demoUrl), { headers: { Origin: 'http://localhost:3000' } })
      expect(await answer.text(), path).not.toContain('openid-client')
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull()
    }
    expect((await fetch(new URL(`/__open-in-editor?file=${secret}`, demoUrl))).status).toBe(404)
  })

  it('is built into files that any web server serves, beside a config.json', async () => {
    const outDir = temporaryFolder()
    const root = join(import.meta.dirname, '../../../apps/web-demo')
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
  ] as const)('can be read and heard: %s, %o', async (colorScheme, viewport) => {
    await using visited = await visit({ colorScheme, viewport })
    const { page } = visited
    const look = async () => {
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
    await look()
    await visited.press('Sign in')
    await page.getByRole('button', { name: 'alice' }).waitFor()
    // The emulator's page allows no foreign script: only what it looks like is looked at.
    const { mean } = await measure(page, await page.screenshot())
    expect(mean > 128).toBe(colorScheme === 'light')
    await page.getByRole('button', { name: 'alice' }).click()
    await visited.says('The token came from the service.')
    await look()
    const path = process.env['COMMUNICATION_TEST_SCREENSHOT']
    if (path !== undefined && colorScheme === 'light' && viewport !== narrow)
      await page.screenshot({ path, fullPage: true })
  })

  /** Brightness from 0 to 255, and how many colours there are. */
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
