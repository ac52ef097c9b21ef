import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { promisify } from 'node:util'
import { hasBrowser, launchBrowser } from '@acs-kit/test-support/browser'
import { findOldNodes } from '@acs-kit/test-support/old-node'
import { packCopy } from '@acs-kit/test-support/pack'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../src/clock.ts'
import * as conformance from '../src/conformance.ts'
import * as credential from '../src/credential.ts'
import * as surface from '../src/index.ts'
import { FakeService, createSignInToken } from './fake-service.ts'
import { servePage } from './page-server.ts'

const root = join(import.meta.dirname, '..')
const installed = 'node_modules/@acs-kit/token-client'
const [example, withoutService, errors, suite] = [
  ...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```ts\n([^]*?)```/g),
].map(([, code]) => code!)
const signInDeclaration = `declare const signIn: {
  getAccessToken(options: { forceRefresh: boolean }): Promise<string>
  createToken(user: string): Promise<string>
}
declare const entraCredential: import('@azure/communication-common').EntraCommunicationTokenCredentialOptions['tokenCredential']
`
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const run = (cwd: string, command: string, ...args: string[]) => promisify(execFile)(command, args, { cwd })

describe('the tarball, installed in an empty project,', () => {
  const service = new FakeService(systemClock)
  const open = new AsyncDisposableStack()
  let project: string
  let url: string
  let tarballs: [npm: string, pnpm: string]

  beforeAll(async () => {
    project = createFolder()
    writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }')
    tarballs = [await packCopy(root, 'npm', createFolder()), await packCopy(root, 'pnpm', createFolder())]
    const [tarball] = tarballs
    // Without dependencies, npm needs no registry.
    await run(project, 'npm', 'install', '--offline', '--no-audit', '--no-fund', '--legacy-peer-deps', tarball)
    url = open.use(await service.listen()).url
  })
  afterAll(() => open.disposeAsync())

  function createFolder(): string {
    return open.use(new TemporaryFolder()).path
  }

  function linkDependency(name: string, from: string): void {
    const target = join(project, 'node_modules', name)
    mkdirSync(dirname(target), { recursive: true })
    rmSync(target, { recursive: true, force: true })
    symlinkSync(join(root, 'node_modules', from), target)
  }

  function writeSnippet(name: string, code: string): void {
    const signIn = `const signIn = { getAccessToken: async () => '${createSignInToken('alice')}' }\n`
    writeFileSync(join(project, name), `${signIn}${code.replace('https://tokens.example.com', url)}`)
  }

  it('has the same files when packed with npm and with pnpm', async () => {
    const contents = tarballs.map(async (tarball) => {
      const folder = createFolder()
      await run(folder, 'tar', 'xzf', tarball)
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      const paths = files.map(({ parentPath, name }) => join(parentPath, name)).toSorted()
      return paths.map((path) => [relative(folder, path), readFileSync(path, 'utf8')])
    })
    const [byNpm, byPnpm] = await Promise.all(contents)
    expect(byNpm).toEqual(byPnpm)
    expect(byNpm!.map(([path]) => path)).toContain('package/LICENSE')
  })

  it.each(['@azure/communication-common', 'communication-common-1'])(
    'runs the example of its README in Node, with %s',
    async (version) => {
      linkDependency('@azure/communication-common', version)
      linkDependency('@azure/communication-chat', '@azure/communication-chat')
      writeSnippet(
        'example.mts',
        `${example}
        import { AzureCommunicationTokenCredential } from '@azure/communication-common'
        const credential = tokenCredential(tokens)
        const { token, expiresOnTimestamp } = await credential.getToken()
        const isCredential = credential instanceof AzureCommunicationTokenCredential
        console.log(isCredential, token.startsWith('alice-'), expiresOnTimestamp > Date.now() + 4 * 60_000, typeof chat)
        credential.dispose()
        await credential.getToken().catch((error) => console.log(error.code))`,
      )
      const { stdout, stderr } = await run(project, process.execPath, 'example.mts')
      expect(stdout).toBe('true true true object\ndisposed\n')
      expect(stderr).toBe('')
    },
  )

  it('installs the command of the conformance suite, also for older versions of Node', async () => {
    const command = join(project, 'node_modules/.bin/check-token-service')
    const old = findOldNodes().filter(({ args }) => args.length === 0)
    for (const node of [process.execPath, ...old.map((each) => each.command)]) {
      expect((await run(project, node, command, '--version')).stdout).toBe(`${version}\n`)
      const { stdout } = await run(project, node, command, '--help')
      for (const option of ['--origin', '--delete-identities', '--help', '--version', 'SIGN_IN_TOKEN_OTHER'])
        expect(stdout).toContain(option)
    }
  })

  it('handles errors like its README', async () => {
    writeSnippet(
      'errors.mts',
      `${errors}
      import { tokenSource } from '@acs-kit/token-client'
      console.log(await getCallStatus(tokenSource({ url: '${url}', getSignInToken: signIn.getAccessToken })))
      console.log(await getCallStatus(tokenSource({ url: '${url}', getSignInToken: () => Promise.reject(new Error('no')) })))`,
    )
    expect((await run(project, process.execPath, 'errors.mts')).stdout).toBe('ready to call\nplease sign in\n')
  })

  it('has the types of the examples in its README', async () => {
    linkDependency('@azure/communication-common', '@azure/communication-common')
    linkDependency('@azure/communication-chat', '@azure/communication-chat')
    linkDependency('@types/node', '@types/node')
    const sources = { 'a.mts': example!, 'b.mts': errors!, 'c.mts': suite!, 'd.mts': withoutService! }
    for (const [name, code] of Object.entries(sources))
      writeFileSync(join(project, name), `${signInDeclaration}${code}`)
    const flags = '--module nodenext --target es2024 --lib es2024,dom,esnext.disposable --strict --noEmit --types node'
    const tsc = join(root, '../../node_modules/.bin/tsc')
    expect((await run(project, tsc, ...flags.split(' '), ...Object.keys(sources))).stdout).toBe('')
  })

  it('imports only published types', () => {
    const files = readdirSync(join(project, installed, 'dist'), { recursive: true }) as string[]
    for (const file of files.filter((name) => name.endsWith('.d.ts'))) {
      const declarations = readFileSync(join(project, installed, 'dist', file), 'utf8')
      const imports = [...declarations.matchAll(/from ['"]([^'"]+)['"]/g)].map(([, name]) => name!)
      expect(imports.filter((name) => !/^\.\.?\//.test(name) && name !== '@azure/communication-common')).toEqual([])
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
      { url, signInToken: createSignInToken('bob') },
    )
    expect(user).toBe('8:acs:resource_bob')
  })

  it('has at most 4 kB with its credential, minified and gzipped', async () => {
    const contents = ['', '/credential'].map((path) => `export * from '@acs-kit/token-client${path}'`).join('\n')
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: project },
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      external: ['@azure/*'],
      write: false,
    })
    expect(gzipSync(outputFiles[0]!.contents, { level: 9 }).length).toBeLessThanOrEqual(4096)
  })
})

it('exports exactly the public API', () => {
  expect([surface, credential, conformance].map((module) => Object.keys(module).toSorted())).toEqual([
    ['TokenError', 'customTokenSource', 'literalTokenSource', 'tokenSource'],
    ['tokenCredential'],
    ['conformanceCases'],
  ])
})
