import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { promisify } from 'node:util'
import { hasBrowser, launchBrowser } from '@acs-kit/test-support/browser'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../src/clock.ts'
import * as conformance from '../src/conformance.ts'
import * as credential from '../src/credential.ts'
import * as surface from '../src/index.ts'
import { FakeService, signInTokenOf } from './fake-service.ts'
import { servePage } from './page-server.ts'

const root = join(import.meta.dirname, '..')
const tarball = join(root, 'package.tgz')
const installed = 'node_modules/@acs-kit/token-client'
const [example, errors, suite] = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```ts\n([^]*?)```/g)].map(
  ([, code]) => code!,
)
const stranger = `declare const signIn: {
  getAccessToken(options: { forceRefresh: boolean }): Promise<string>
  tokenOf(user: string): Promise<string>
}
`
const run = (cwd: string, command: string, ...args: string[]) => promisify(execFile)(command, args, { cwd })

describe('the packed tarball, installed in an empty project,', () => {
  const service = new FakeService(systemClock)
  const open = new AsyncDisposableStack()
  let project: string
  let url: string

  beforeAll(async () => {
    expect(existsSync(tarball), 'run `pnpm package:check` first').toBe(true)
    project = mkdtempSync(join(tmpdir(), 'token-client-'))
    open.defer(() => rmSync(project, { recursive: true, force: true }))
    writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }')
    // It has no dependencies: nothing is asked of a registry.
    await run(project, 'npm', 'install', '--offline', '--no-audit', '--no-fund', '--legacy-peer-deps', tarball)
    url = open.use(await service.listen()).url
  })
  afterAll(() => open.disposeAsync())

  function borrow(name: string, from: string): void {
    const target = join(project, 'node_modules', name)
    mkdirSync(dirname(target), { recursive: true })
    rmSync(target, { recursive: true, force: true })
    symlinkSync(join(root, 'node_modules', from), target)
  }

  function snippet(name: string, code: string): void {
    const signIn = `const signIn = { getAccessToken: async () => '${signInTokenOf('alice')}' }\n`
    writeFileSync(join(project, name), `${signIn}${code.replace('https://tokens.example.com', url)}`)
  }

  it.each(['@azure/communication-common', 'communication-common-1'])(
    'runs what its README shows in Node, with %s',
    async (version) => {
      borrow('@azure/communication-common', version)
      borrow('@azure/communication-chat', '@azure/communication-chat')
      snippet(
        'example.mts',
        `${example}
        import { AzureCommunicationTokenCredential } from '@azure/communication-common'
        const credential = tokenCredential(tokens)
        const { token, expiresOnTimestamp } = await credential.getToken()
        const isOurs = credential instanceof AzureCommunicationTokenCredential
        console.log(isOurs, token.startsWith('alice-'), expiresOnTimestamp > Date.now() + 4 * 60_000, typeof chat)
        credential.dispose()
        await credential.getToken().catch((error) => console.log(error.code))`,
      )
      const { stdout, stderr } = await run(project, process.execPath, 'example.mts')
      expect(stdout).toBe('true true true object\ndisposed\n')
      expect(stderr).toBe('')
    },
  )

  it('explains errors as its README does', async () => {
    snippet(
      'errors.mts',
      `${errors}
      import { tokenSource } from '@acs-kit/token-client'
      console.log(await explain(tokenSource({ url: '${url}', getSignInToken: signIn.getAccessToken })))
      console.log(await explain(tokenSource({ url: '${url}', getSignInToken: () => Promise.reject(new Error('no')) })))`,
    )
    expect((await run(project, process.execPath, 'errors.mts')).stdout).toBe('ready to call\nplease sign in\n')
  })

  it('has the types that its README uses', async () => {
    borrow('@azure/communication-common', '@azure/communication-common')
    borrow('@azure/communication-chat', '@azure/communication-chat')
    borrow('@types/node', '@types/node')
    const sources = { 'a.mts': example!, 'b.mts': errors!, 'c.mts': suite! }
    for (const [name, code] of Object.entries(sources)) writeFileSync(join(project, name), `${stranger}${code}`)
    const flags = '--module nodenext --target es2024 --lib es2024,dom,esnext.disposable --strict --noEmit --types node'
    const tsc = join(root, '../../node_modules/.bin/tsc')
    expect((await run(project, tsc, ...flags.split(' '), ...Object.keys(sources))).stdout).toBe('')
  })

  it('names nothing that is not published', () => {
    for (const file of ['index', 'credential', 'conformance', 'contract', 'token-cache']) {
      const declarations = readFileSync(join(project, installed, `dist/${file}.d.ts`), 'utf8')
      const imports = [...declarations.matchAll(/from ['"]([^'"]+)['"]/g)].map(([, name]) => name!)
      expect(imports.filter((name) => !name.startsWith('./') && name !== '@azure/communication-common')).toEqual([])
    }
  })

  it.runIf(hasBrowser)('works in a page', async () => {
    await using page = await servePage({ folder: project, path: `/${installed}/dist/index.js` })
    await using browser = await launchBrowser()
    const tab = await browser.newPage()
    await tab.goto(page.url)
    const user = await tab.evaluate(
      async ({ url, signInToken }) => {
        const { tokenSource } = (globalThis as unknown as { client: typeof surface }).client
        const tokens = tokenSource({ url, getSignInToken: () => signInToken })
        return (await tokens.getToken()).communicationUserId
      },
      { url, signInToken: signInTokenOf('bob') },
    )
    expect(user).toBe('8:acs:resource_bob')
  })

  it('is small: at most 4 kB, minified and gzipped, and a little more with its credential, without the peer', async () => {
    const sizeOf = async (...paths: string[]) => {
      const contents = paths.map((path) => `export * from '@acs-kit/token-client${path}'`).join('\n')
      const { outputFiles } = await build({
        stdin: { contents, resolveDir: project },
        bundle: true,
        minify: true,
        format: 'esm',
        target: 'es2022',
        external: ['@azure/*'],
        write: false,
      })
      return gzipSync(outputFiles[0]!.contents, { level: 9 }).length
    }
    expect(await sizeOf('')).toBeLessThanOrEqual(4096)
    expect(await sizeOf('', '/credential')).toBeLessThanOrEqual(4400)
  })
})

it('has a public surface that changes on purpose only', () => {
  expect([surface, credential, conformance].map((module) => Object.keys(module).toSorted())).toEqual([
    ['TokenError', 'customTokenSource', 'literalTokenSource', 'tokenSource'],
    ['tokenCredential'],
    ['conformanceCases'],
  ])
})
