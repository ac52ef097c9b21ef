import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { hasBrowser, launchBrowser } from '@acs-kit/test-support/browser'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { createServer } from 'vite'
import { expect, it, onTestFinished } from 'vitest'
import { startLocalStack } from '../src/local-stack.ts'

const root = join(import.meta.dirname, '..')
const [, code] = /```ts\n(.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8'))!
const libraries = {
  '@acs-kit/token-client': import.meta.resolve('@acs-kit/token-client'),
  'oidc-client-ts': import.meta.resolve('oidc-client-ts'),
}

it.runIf(hasBrowser)('lets the app of the README sign in and get a token, under an address of its own', async () => {
  await using stack = await startLocalStack({ ports: { emulator: 0, service: 0, demo: 0 } })
  const app = temporaryFolder()
  const outputs = await promisify(execFile)(process.execPath, [
    join(root, 'src/print-outputs.ts'),
    '--demo-port',
    new URL(stack.demo!.url).port,
  ])
  writeFileSync(join(app, '.env.local'), outputs.stdout)
  writeFileSync(join(app, 'index.html'), '<!doctype html><body><script type="module" src="main.ts"></script>')
  writeFileSync(join(app, 'main.ts'), code!)
  const server = await createServer({
    root: app,
    configFile: false,
    logLevel: 'error',
    envPrefix: ['communication', 'signIn', 'tokenService'],
    resolve: { alias: Object.fromEntries(Object.entries(libraries).map(([name, url]) => [name, fileURLToPath(url)])) },
    optimizeDeps: { noDiscovery: true, include: [] },
    server: { host: 'localhost', port: 0, fs: { strict: false } },
  })
  onTestFinished(() => server.close())
  await server.listen()
  await using browser = await launchBrowser()
  const page = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', ({ message }) => errors.push(message))
  await page.goto(server.resolvedUrls!.local[0]!)
  await page.getByRole('button', { name: 'alice' }).click()
  await page.getByText('Hello alice, you are 8:acs:').waitFor()
  expect(errors).toEqual([])
  expect(stack.emulator.identities()).toHaveLength(1)
})
