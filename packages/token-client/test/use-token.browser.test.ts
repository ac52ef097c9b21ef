import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasBrowser, launchBrowser, type Browser, type Page } from '@acs-kit/test-support/browser'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../src/clock.ts'
import type { ServiceTokenSource } from '../src/index.ts'
import { FakeService, createSignInToken } from './fake-service.ts'
import { servePage } from './page-server.ts'

const root = join(import.meta.dirname, '..')
const [hook] = /(?<=```ts\n)[^`]*function useToken[^]*?(?=```)/.exec(readFileSync(join(root, 'README.md'), 'utf8'))!

declare global {
  var app: {
    readonly tokens: ServiceTokenSource
    /** Texts that the components have shown. */
    readonly renders: readonly string[]
    /** Shows the token of the user, or without one, removes the components. */
    render(user?: string): void
  }
}

/** Uses the hook in two components. */
const source = `
  import { createElement, StrictMode } from 'react'
  import { createRoot } from 'react-dom/client'
  const root = createRoot(document.body)
  const renders = []
  let signedIn
  globalThis.signIn = { getAccessToken: async () => signInTokens[signedIn] }
  function Token({ user }) {
    const { token, error } = useToken(user)
    const text = token?.token ?? error?.code ?? 'loading'
    renders.push(user + ': ' + text)
    return createElement('p', null, text)
  }
  function render(user) {
    if (user && user !== signedIn) tokens.invalidate()
    signedIn = user ?? signedIn
    const token = (key) => createElement(Token, { key, user })
    root.render(user && createElement(StrictMode, null, token(1), token(2)))
  }
  globalThis.app = { tokens, renders, render }
`

describe('useToken of the README', () => {
  const open = new AsyncDisposableStack()
  const clock = { ...systemClock, now: () => Date.now() + passedMs }
  let passedMs: number
  let service: FakeService
  let browser: Browser
  let pageUrl: string
  let page: Page
  let problems: string[]

  beforeAll(async () => {
    service = new FakeService(clock)
    const { url } = open.use(await service.listen())
    const signInTokens = JSON.stringify({ alice: createSignInToken('alice'), bob: createSignInToken('bob') })
    const contents = `${hook.replace('https://tokens.example.com', url)}\nconst signInTokens = ${signInTokens}\n${source}`
    const { outputFiles } = await build({
      stdin: { contents, loader: 'ts', resolveDir: root },
      alias: { '@acs-kit/token-client': join(root, 'src/index.ts') },
      bundle: true,
      format: 'esm',
      write: false,
    })
    pageUrl = open.use(await servePage(outputFiles[0]!.text)).url
    browser = open.adopt(await launchBrowser(), (launched) => launched.close())
  })
  afterAll(() => open.disposeAsync())

  beforeEach(async () => {
    passedMs = 0
    service.requests.length = 0
    service.latencyMs = 0
    service.faults = () => undefined
    page = await (await browser.newContext()).newPage()
    problems = []
    page.on('console', (message) => message.type() !== 'info' && problems.push(message.text()))
    page.on('pageerror', (error) => problems.push(error.message))
    await page.clock.install()
    await page.goto(pageUrl)
    return () => page.context().close()
  })

  const alice = expect.stringMatching(/^alice-/) as string
  const bob = expect.stringMatching(/^bob-/) as string
  const render = (user?: 'alice' | 'bob') => page.evaluate((name) => globalThis.app.render(name), user)
  const renders = () => page.evaluate(() => globalThis.app.renders)
  const texts = () => page.locator('p').allTextContents()

  it.runIf(hasBrowser)('shares one request between components in strict mode', async () => {
    await render('alice')
    await expect.poll(texts).toEqual([alice, alice])
    expect((await renders())[0]).toBe('alice: loading')
    expect(service.requests).toHaveLength(1)
    expect(problems).toEqual([])
  })

  it.runIf(hasBrowser)('shows a refreshed token', async () => {
    await render('alice')
    await expect.poll(texts).toEqual([alice, alice])
    const [first] = await texts()
    passedMs = (23 * 60 + 50) * 60_000
    await page.clock.fastForward(passedMs)
    await expect.poll(texts).not.toContain(first)
    expect(await texts()).toEqual([alice, alice])
  })

  it.runIf(hasBrowser)('shows an error, and the token that follows it', async () => {
    service.faults = () => ({ status: 403, code: 'scope-not-allowed' })
    await render('alice')
    await expect.poll(texts).toEqual(['scope-not-allowed', 'scope-not-allowed'])
    service.faults = () => undefined
    await page.evaluate(() => globalThis.app.tokens.getToken())
    await expect.poll(texts).toEqual([alice, alice])
  })

  it.runIf(hasBrowser)('shows no token of another user, even if a request is pending', async () => {
    await render('alice')
    await expect.poll(texts).toEqual([alice, alice])
    for (const user of ['bob', 'alice', 'bob'] as const) await render(user)
    await expect.poll(texts).toEqual([bob, bob])
    for (const text of await renders()) expect(text).toMatch(/^(alice|bob): (loading|\1-\d+)$/)
  })

  it.runIf(hasBrowser)('ends with its component', async () => {
    await render('alice')
    await expect.poll(async () => (await renders()).length).toBeGreaterThan(0)
    await render()
    await expect.poll(texts).toEqual([])
    const before = await renders()
    await page.evaluate(() => globalThis.app.tokens.getToken())
    expect(await renders()).toEqual(before)
    expect(problems).toEqual([])
  })
})
