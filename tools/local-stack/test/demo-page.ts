import { launchBrowser, type Browser, type BrowserContext, type Page } from '@acs-kit/test-support/browser'
import { afterAll, beforeAll, expect } from 'vitest'
import { startLocalStack, type LocalStack } from '../src/local-stack.ts'
import { findViolations } from './find-violations.ts'
import { startTlsProxy } from './tls-proxy.ts'

type ContextOptions = NonNullable<Parameters<Browser['newContext']>[0]>

export interface DemoPage extends AsyncDisposable {
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

/** Colour schemes and sizes in which pages are checked. */
const appearances = [
  ['light', { width: 1280, height: 900 }],
  ['dark', { width: 1280, height: 900 }],
  ['light', { width: 375, height: 740 }],
  ['dark', { width: 375, height: 740 }],
] as const

/** Starts the stack and a browser for the tests of a file. The service uses HTTPS and has an origin of its own, as in production. */
export function useDemo() {
  const running = new AsyncDisposableStack()
  let stack: LocalStack
  let browser: Browser
  beforeAll(async () => {
    stack = running.use(await startLocalStack({ ports: { emulator: 0, service: 0, demo: 0 } }))
    const proxy = running.use(await startTlsProxy(stack.service.url, stack.emulator.tlsFiles))
    stack.demo!.publish({ ...stack, service: proxy })
    browser = running.adopt(await launchBrowser({ args: [proxy.chromiumFlag] }), (launched) => launched.close())
  })
  afterAll(() => running.disposeAsync())

  return {
    get stack(): LocalStack {
      return stack
    },
    get url(): string {
      return stack.demo!.url
    },
    get browser(): Browser {
      return browser
    },

    async open(options: ContextOptions = {}): Promise<DemoPage> {
      const context = await browser.newContext(options)
      const page = await context.newPage()
      const demo = toDemoPage(context, page)
      await page.goto(stack.demo!.url)
      return demo
    },
  }
}

export function toDemoPage(context: BrowserContext, page: Page): DemoPage {
  const messages: string[] = []
  const addresses: string[] = []
  page.on('console', (message) => message.type() !== 'debug' && messages.push(message.text()))
  page.on('pageerror', (error) => messages.push(error.message))
  page.on('request', (request) => addresses.push(request.url()))
  page.on('framenavigated', (frame) => addresses.push(frame.url()))
  const click = (name: string) => page.getByRole('button', { name, exact: true }).click()
  return {
    context,
    page,
    messages,
    addresses,
    waitForStatus: (text) => page.getByRole('status').filter({ hasText: text }).waitFor(),
    click,
    async clickAndWait(name) {
      await click(name)
      await page.getByRole('button', { name, exact: true, disabled: false }).waitFor()
    },
    [Symbol.asyncDispose]: () => context.close(),
  }
}

export async function signIn(demo: DemoPage, user = 'alice'): Promise<void> {
  await demo.click('Sign in')
  await chooseUser(demo, user)
}

/** Signs in on the emulator's page. */
export async function chooseUser({ page, waitForStatus }: DemoPage, user: string): Promise<void> {
  await page.getByLabel('Another user').fill(user)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await waitForStatus('Received a token from the service.')
}

/** Checks the page in each colour scheme and size: with axe, for content that is cut off, and its colours. */
export async function checkAppearances(page: Page): Promise<void> {
  await checkColours(page, async (appearance) => {
    expect(await findViolations(page), appearance).toEqual([])
    const cut = await page.evaluate<string[]>(`[...document.querySelectorAll('body, main *')]
    .filter(({ scrollWidth, clientWidth, nodeName }) => clientWidth > 1 && scrollWidth > clientWidth + 1 && nodeName !== 'INPUT')
    .map(({ outerHTML }) => outerHTML.slice(0, 200))`)
    expect(cut, appearance).toEqual([])
  })
}

/** Checks the colours of the page in each colour scheme and size, after another check. */
export async function checkColours(page: Page, check?: (appearance: string) => Promise<void>): Promise<void> {
  const sheet = await page.context().newPage()
  for (const [colorScheme, viewport] of appearances) {
    const appearance = `${colorScheme}, ${viewport.width} px`
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize(viewport)
    await check?.(appearance)
    const { mean, colours } = await measure(sheet, await page.screenshot())
    if (colorScheme === 'light') expect(mean, appearance).toBeGreaterThan(200)
    else expect(mean, appearance).toBeLessThan(60)
    expect(colours, appearance).toBeGreaterThan(20)
  }
  await sheet.close()
}

/** Returns the mean brightness, from 0 to 255, and the number of colours. */
function measure(sheet: Page, screenshot: Buffer): Promise<{ mean: number; colours: number }> {
  return sheet.evaluate<{ mean: number; colours: number }>(`(async () => {
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
}
