import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { Azurite } from '@acs-kit/test-support/azurite'
import { hasBrowser, launchBrowser } from '@acs-kit/test-support/browser'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { findOldNodes } from '@acs-kit/test-support/old-node'
import { packCopy } from '@acs-kit/test-support/pack'
import { hasRegistry } from '@acs-kit/test-support/registry'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InstalledProject, installNodes, type Nodes } from './installed-project.ts'

const root = join(import.meta.dirname, '..')
const identity = '@acs-kit/communication-identity'
const packages: Record<string, readonly [folder: string, ...inlined: string[]]> = {
  '@acs-kit/token-client': ['packages/token-client'],
  '@acs-kit/communication-emulator': ['packages/communication-emulator'],
  [identity]: ['packages/communication-identity'],
  'fastify-communication-tokens': ['apps/token-service', 'packages/service-settings', 'packages/token-contract'],
}
const others = [
  '@azure/communication-chat',
  '@types/node@24',
  '@types/react',
  '@vitejs/plugin-react',
  'react',
  'react-dom',
  'vite',
]
const readSnippets = (path: string) =>
  [...readFileSync(join(root, path), 'utf8').matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!)
const [pluginSnippet] = readSnippets('apps/token-service/README.md') as [string]
const [identitySnippet] = readSnippets('packages/communication-identity/README.md') as [string]
const clientSnippets = readSnippets('packages/token-client/README.md')
const errorSnippet = clientSnippets.find((code) => code.includes('function getCallStatus'))!
const emulatorSnippet = `
  import { startEmulator } from '@acs-kit/communication-emulator'
  const emulator = await startEmulator()
  const text: string = emulator.connectionString
  // @ts-expect-error -- neither a number nor any
  const number: number = emulator.connectionString
  await emulator[Symbol.asyncDispose]()
  console.log(text.length > 0, number)`
const viteConfig = `
  import react from '@vitejs/plugin-react'
  export default { plugins: [react()], logLevel: 'warn' }`
const administrationProgram = `
  import { createCommunicationIdentities } from '@acs-kit/communication-identity'
  const connectionString = process.env.COMMUNICATION_SERVICES_CONNECTION_STRING
  const identities = await createCommunicationIdentities({ connectionString }, { sdk: 'administration' })
  console.log(await identities.create())`

const referenceProgram = `
  process.env.REFERENCE_PAGE = 'true'
  process.env.IDENTITY_STORE_ENDPOINT = 'https://contoso.table.core.windows.net'
  await import('./app.mjs')`

const open = new AsyncDisposableStack()
const createFolder = () => open.use(new TemporaryFolder()).path
afterAll(() => open.disposeAsync())

async function packAll(manager: string): Promise<Record<string, string>> {
  const tarballs = Object.entries(packages).map(async ([name, [folder, ...inlined]]) => [
    name,
    await packCopy(join(root, folder), manager, createFolder(), inlined),
  ])
  return Object.fromEntries(await Promise.all(tarballs)) as Record<string, string>
}

describe.runIf(hasRegistry)('the published packages', () => {
  let tarballs: Record<'npm' | 'pnpm', Record<string, string>>
  let nodes: Nodes
  let store: Azurite

  beforeAll(async () => {
    const installation = installNodes(createFolder())
    tarballs = { npm: await packAll('npm'), pnpm: await packAll('pnpm') }
    nodes = await installation
    store = open.use(await Azurite.start())
  })

  it('have the same files when packed with npm and with pnpm', async () => {
    for (const name of Object.keys(packages)) {
      const [byNpm, byPnpm] = [await readTarball(tarballs.npm[name]!), await readTarball(tarballs.pnpm[name]!)]
      expect(byNpm).toEqual(byPnpm)
      expect([...byNpm.keys()]).toContain('package/LICENSE')
    }
  })

  async function installWith(manager: 'npm' | 'pnpm', ...more: string[]): Promise<InstalledProject> {
    const project = new InstalledProject(createFolder(), nodes)
    const { [identity]: unpublished } = tarballs[manager]
    const all = [...Object.values(tarballs[manager]), ...others, ...more]
    await project.install(manager, all, { [identity]: unpublished! })
    project.write('server.mjs', `${pluginSnippet.replace('8080', '0')}\nexport { app }`)
    const client = clientSnippets[0]!.replace("'https://tokens.example.com'", 'process.env.SERVICE_URL')
    project.write('client.mjs', `${client}\nexport { chat, tokens }\nexport * from './errors.mts'`)
    project.write('errors.mts', errorSnippet)
    project.write('identity.mjs', identitySnippet)
    project.write('administration.mjs', administrationProgram)
    project.write('reference.mjs', referenceProgram)
    project.write('emulator.mts', emulatorSnippet)
    project.write('vite.config.mjs', viteConfig)
    return project
  }

  const exec = ['communication-emulator', 'exec', '--', 'node'] as const

  describe.each([
    // The oldest versions that the packages support, and the older SDK.
    [
      'npm',
      [
        'fastify@5.10.0',
        '@azure/communication-common@1',
        '@azure/communication-administration@1.0.0-beta.4',
        '@azure/core-http@1',
        'swagger-ui-dist@5',
      ],
    ],
    ['pnpm', ['fastify@5', '@azure/communication-common@2']],
  ] as const)('installed with %s', (manager, more) => {
    let project: InstalledProject

    beforeAll(async () => {
      project = await installWith(manager, ...more)
    })

    describe.each(['22', '24'])('on Node %s', (version) => {
      it('run a program with `npx communication-emulator exec`', async () => {
        const { stdout } = await project.run(version, 'npx', ...exec, 'identity.mjs')
        expect(stdout).toMatch(/^a token of \d+ characters until /)
      })

      it('start an emulator in a program', async () => {
        expect((await project.run(version, 'node', 'emulator.mts')).stdout).toMatch(/^true endpoint=/)
      })

      it('issue and use a token in a Fastify app with the plugin', async () => {
        await using app = await project.startApp(version, store.connectionString)
        expect(app.result).toMatchObject({
          topic: 'hello',
          callStatus: 'ready to call, please sign in',
          page: '200 200 404',
          reference: manager === 'npm' ? 200 : 404,
        })
      })
    })

    it('build a Vite app with React, whose page gets a token', async () => {
      await project.run('22', 'npx', 'vite', 'build')
      if (!hasBrowser) return
      await using app = await project.startApp('24', store.connectionString)
      await using page = await servePage(project.path('dist'))
      await using browser = await launchBrowser()
      const tab = await browser.newPage()
      await tab.goto(`${page.url}#${new URLSearchParams(app.result).toString()}`)
      await expect.poll(() => tab.textContent('output')).toBe('valid')
    })

    it.runIf(manager === 'npm')('use the administration SDK', async () => {
      const { stdout } = await project.run('24', 'npx', ...exec, 'administration.mjs')
      expect(stdout).toMatch(/^8:acs:/)
    })

    it.runIf(manager === 'pnpm')('name the optional packages that are missing', async () => {
      await expect(project.run('24', 'npx', ...exec, 'administration.mjs')).rejects.toMatchObject({
        stderr: expect.stringContaining(
          'Error: the administration SDK is not installed: install @azure/communication-administration@1.0.0-beta.4 and @azure/core-http@1, ',
        ),
      })
      await expect(project.run('24', 'npx', ...exec, 'reference.mjs')).rejects.toMatchObject({
        stderr: expect.stringContaining(
          'Error: swagger-ui-dist is not installed: install it, or unset REFERENCE_PAGE\n',
        ),
      })
    })

    // pnpm resolves only the dependencies that a package declares.
    it.runIf(manager === 'pnpm')('have the types of the snippets in the READMEs', async () => {
      const signIn = `declare const signIn: {
        getAccessToken(options: { forceRefresh: boolean }): Promise<string>
        createToken(user: string): Promise<string>
      }
      declare const entraCredential: import('@azure/communication-common').EntraCommunicationTokenCredentialOptions['tokenCredential']\n`
      const names = [pluginSnippet, identitySnippet, ...clientSnippets].map((code, index) => {
        project.write(`snippet-${index}.mts`, `${signIn}${code}`)
        return `snippet-${index}.mts`
      })
      const flags =
        '--module nodenext --target es2024 --lib es2024,dom,esnext.disposable --strict --noEmit --types node'
      const tsc = join(root, 'node_modules/.bin/tsc')
      const { stdout } = await project.run('24', tsc, ...flags.split(' '), 'emulator.mts', ...names)
      expect(stdout).toBe('')
    })

    it.runIf(manager === 'npm').each(findOldNodes())(
      'report in one sentence that Node $version is too old',
      async ({ version, command, args }) => {
        const fix = `, and this is Node ${version}: put a newer one first on PATH`
        const bin = project.path('node_modules/.bin/communication-emulator')
        await expect(project.run('24', command, ...args, bin, 'start')).rejects.toMatchObject({
          code: 1,
          stderr: `communication-emulator: Node 22.19, 24.5 or newer is required${fix}\n`,
        })
        for (const [name, minimum] of [
          ['@acs-kit/communication-emulator', '22.19, 24.5'],
          ['fastify-communication-tokens', '22.19'],
        ] as const) {
          const print = `import('${name}').catch(({ message }) => console.log(message))`
          const { stdout } = await project.run('24', command, ...args, '-e', print)
          expect(stdout).toBe(`${name.replace('@acs-kit/', '')}: Node ${minimum} or newer is required${fix}\n`)
        }
        // The client supports this version.
        const check = project.path('node_modules/.bin/check-token-service')
        expect((await project.run('24', command, ...args, check, '--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
      },
    )
  })
})

/** Returns the content of each file by its path. */
async function readTarball(tarball: string): Promise<Map<string, string>> {
  const folder = createFolder()
  await promisify(execFile)('tar', ['xzf', tarball], { cwd: folder })
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).toSorted()
  return new Map(paths.map((path) => [relative(folder, path), readFileSync(path, 'utf8')]))
}

/** Serves a built page. */
async function servePage(folder: string) {
  const server = createServer(({ url = '/' }, response) => {
    const type = url.endsWith('.js') ? 'text/javascript' : 'text/html'
    response.writeHead(200, { 'Content-Type': type }).end(readFileSync(join(folder, url === '/' ? 'index.html' : url)))
  })
  const local = await listenLocally(server)
  return { url: `http://localhost:${local.port}/`, [Symbol.asyncDispose]: () => local[Symbol.asyncDispose]() }
}
