import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hasBrowser, type Page } from '@acs-kit/test-support/browser'
import { HttpClient } from '@acs-kit/test-support/http-client'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { build, preview } from 'vite'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { checkAppearances, checkColours, signIn, toDemoPage, useDemo } from './demo-page.ts'

const demoRoot = dirname(fileURLToPath(import.meta.resolve('@acs-kit/web-demo/package.json')))

describe.runIf(hasBrowser)('the token panel of the demo in a browser', () => {
  const fixture = useDemo()
  const getText = (page: Page, id: string) => page.locator(`#${id}`).textContent()

  it('works by keyboard from sign-in to deletion', async () => {
    await using demo = await fixture.open()
    const { emulator } = fixture.stack
    const { page, waitForStatus } = demo
    const pressByKeyboard = async (name: string) => {
      const focused = page.locator('button:focus', { hasText: new RegExp(`^${name}$`) })
      for (let steps = 0; steps < 60; steps++) {
        await page.keyboard.press('Tab')
        if ((await focused.count()) > 0) return page.keyboard.press('Enter')
      }
      throw new Error(`${name} is not reachable by keyboard`)
    }
    await page.getByRole('heading', { name: 'Calling and chat' }).waitFor()
    await pressByKeyboard('Sign in')
    await page.getByRole('heading', { name: 'Sign in to acs-kit sample app' }).waitFor()
    await pressByKeyboard('alice')
    await waitForStatus('Received a token from the service.')
    const identity = await getText(page, 'identity')
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
    const issued = await emulator.tokens({ reveal: true })
    await pressByKeyboard('Revoke')
    await waitForStatus('All your tokens are revoked.')
    for (const { token } of issued) expect(emulator.introspect(token!).state).toBe('revoked')

    await pressByKeyboard('Delete identity')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    expect(emulator.identities()).toHaveLength(1)
    await pressByKeyboard('Delete identity')
    await pressByKeyboard('Delete')
    await waitForStatus('Your identity is deleted.')
    expect(emulator.identities()).toEqual([])
    await pressByKeyboard('Get a token')
    await waitForStatus('Received a token from the service.')
    expect(await getText(page, 'identity')).not.toBe(identity)
    expect(await getText(page, 'token')).not.toBe(first)
    const requests = await page.locator('#requests .route').allTextContents()
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

  it('copies the token and its properties, and shows its claims', async () => {
    await using demo = await fixture.open({ permissions: ['clipboard-read', 'clipboard-write'] })
    const { page } = demo
    await signIn(demo)
    const copy = async (name: string) => {
      await demo.click(`Copy the ${name}`)
      return page.evaluate<string>('navigator.clipboard.readText()')
    }
    const token = await copy('token')
    expect(fixture.stack.emulator.introspect(token)).toMatchObject({
      state: 'valid',
      communicationUserId: await copy('identity'),
    })
    expect(await copy('endpoint')).toBe(fixture.stack.communicationEndpoint.replace(/\/$/, ''))
    await page.getByText('Decoded claims').click()
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as object
    expect(await page.locator('#claims dt').allTextContents()).toEqual(Object.keys(claims))
    expect(await page.locator('#claims dd code').allTextContents()).toEqual(Object.values(claims).map(String))
  })

  it('shows the bodies of a request, and a token in them only when it is clicked', async () => {
    await using demo = await fixture.open()
    const { page } = demo
    await signIn(demo)
    await page.getByLabel('Calling').check()
    await demo.waitForStatus('Received a token from the service.')
    const request = page.locator('#requests li').first()
    expect(await request.locator('pre').count()).toBe(0)
    await request.getByText('POST /v1/token').click()
    expect(JSON.parse((await request.locator('pre').first().textContent())!)).toEqual({ scopes: ['voip'] })
    const response = request.getByLabel('Response')
    const getToken = async () => (JSON.parse((await response.textContent())!) as { token: string }).token
    expect(await getToken()).toMatch(/^\S{12}…\S{8}$/)
    await request.getByTitle('Show the whole token').click()
    expect(fixture.stack.emulator.introspect(await getToken())).toMatchObject({ state: 'valid', scopes: ['voip'] })
  })

  it('shows the call that was made as code that can be copied', async () => {
    await using demo = await fixture.open({ permissions: ['clipboard-read', 'clipboard-write'] })
    const { page, clickAndWait, click } = demo
    await signIn(demo)
    await clickAndWait('Revoke')
    const code = await getText(page, 'snippet')
    expect(code).toMatch(
      /tokenSource\(\{\n  url: 'https:\/\/localhost:\d+',\n  getSignInToken,\n\}\)\nawait tokens.revokeTokens\(\)$/,
    )
    await click('Copy the code')
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(code)
  })

  it('renews the token when the emulator clock advances', async () => {
    await using demo = await fixture.open()
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
    expect(fixture.stack.emulator.clock.offset).toBeLessThan(1000)
    expect(demo.messages.filter((text) => !text.includes('401'))).toEqual([])
  })

  it('drops the tokens and signs in again when the clock is reset', async () => {
    await using demo = await fixture.open()
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

  it('reports that it is offline, uses the cached token, and recovers with a retry', async () => {
    await using demo = await fixture.open()
    const { context, page, click, waitForStatus } = demo
    await signIn(demo)
    await context.setOffline(true)
    await click('Get a token')
    await waitForStatus('Used the cached token.')
    await click('Revoke')
    await waitForStatus('The token service is unreachable. Check your network connection.')
    expect(await page.locator('#token-notice').getAttribute('data-kind')).toBe('error')
    await context.setOffline(false)
    await click('Retry')
    await waitForStatus('All your tokens are revoked.')
    expect(await page.locator('#token-notice').getAttribute('data-kind')).toBe('success')
    await context.setOffline(true)
    await click('Get a token')
    await waitForStatus('Waiting for a response…')
    await context.setOffline(false)
    await waitForStatus('Received a token from the service.')
    expect(demo.messages.filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([])
  })

  it('reports a slow network and ignores repeated clicks', async () => {
    await using demo = await fixture.open()
    const { page, click, waitForStatus } = demo
    await signIn(demo)
    await page.route('**/v1/**', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1500))
      await route.continue()
    })
    const before = await page.locator('#requests li').count()
    await click('Refresh')
    await page.getByRole('button', { name: 'Refresh' }).click({ force: true })
    await waitForStatus('Waiting for a response…')
    await waitForStatus('Received a new token.')
    expect(await page.locator('#requests li').count()).toBe(before + 1)
  })

  it('reports a failed sign-in and allows another attempt', async () => {
    await using demo = await fixture.open()
    const { page, waitForStatus } = demo
    await page.goto(`${fixture.url}?error=access_denied&state=unknown`)
    await waitForStatus(/^Sign-in failed/)
    expect(page.url()).toBe(fixture.url)
    await signIn(demo)
  })

  it('stays signed in on reload and keeps secrets out of addresses and other tabs', async () => {
    await using demo = await fixture.open()
    const { page, context, waitForStatus, click } = demo
    await signIn(demo, 'carol')
    await page.reload()
    await waitForStatus('Received a token from the service.')
    expect(await getText(page, 'name')).toBe('carol')
    const other = await context.newPage()
    await other.goto(fixture.url)
    await other.getByRole('button', { name: 'Sign in' }).waitFor()
    const issued = (await fixture.stack.emulator.tokens({ reveal: true })).map(({ token }) => token!)
    const kept = await page.evaluate<string>('JSON.stringify([{ ...localStorage }, document.cookie])')
    expect(kept).toBe('[{},""]')
    const session = await page.evaluate<string>('JSON.stringify({ ...sessionStorage })')
    for (const token of issued) expect(session).not.toContain(token)
    expect(page.url()).toBe(fixture.url)
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
    using client = new HttpClient(Number(new URL(fixture.url).port))
    const relativePath = `/${relative(demoRoot, secret)}`
    for (const path of [`/@fs${secret}`, `/@fs${secret}?raw`, `/@fs${secret}?url`, `${relativePath}?import&raw`]) {
      const { headers, text } = await client.send({ method: 'GET', path, headers: { origin: 'http://localhost:3000' } })
      expect(text, path).not.toContain('openid-client')
      expect(headers['access-control-allow-origin'], path).toBeUndefined()
    }
    expect((await fetch(new URL(`/__open-in-editor?file=${secret}`, fixture.url))).status).toBe(404)
  })

  it('builds static files that load config.json, and the chat SDK only when chat is opened', async () => {
    const outDir = temporaryFolder()
    const options = { root: demoRoot, configFile: false, logLevel: 'error', build: { outDir } } as const
    await build(options)
    const server = await preview({ ...options, preview: { host: '127.0.0.1', port: 0 } })
    onTestFinished(() => server.close())
    await using context = await fixture.browser.newContext()
    const demo = toDemoPage(context, await context.newPage())
    await demo.page.goto(server.resolvedUrls!.local[0]!)
    await demo.waitForStatus('config.json is missing')
    writeFileSync(join(outDir, 'config.json'), await (await fetch(new URL('config.json', fixture.url))).text())
    await demo.page.reload()
    await signIn(demo, 'dave')
    const loaded = new Set(demo.addresses.map((address) => basename(address)))
    const files = readdirSync(join(outDir, 'assets'))
    expect(files.filter((name) => !loaded.has(name))).toEqual([expect.stringMatching(/^chat-.+\.js$/)])
    await demo.click('Open chat')
    await demo.page.getByText('Connected', { exact: true }).waitFor()
  })

  it('is readable and accessible', async () => {
    await using demo = await fixture.open()
    const { page } = demo
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    await checkAppearances(page)
    await demo.click('Sign in')
    await page.getByRole('button', { name: 'alice' }).waitFor()
    // The emulator's page forbids injected scripts.
    await checkColours(page)
    await page.getByRole('button', { name: 'alice' }).click()
    await demo.waitForStatus('Received a token from the service.')
    await page.getByText('Decoded claims').click()
    await page.locator('#requests summary').first().click()
    await checkAppearances(page)
    await demo.context.setOffline(true)
    await demo.click('Revoke')
    await demo.waitForStatus('The token service is unreachable.')
    await checkAppearances(page)
    expect(demo.messages.filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([])
  })
})
