import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { delimiter, dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import {
  startEmulator,
  wellKnownClientSecret,
  wellKnownConfidentialClientId,
  wellKnownTenantId,
  type Emulator,
} from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { TableClient } from '@azure/data-tables'
import { ClientSecretCredential } from '@azure/identity'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalEngine } from '../src/pulumi/local-engine.ts'
import { findPulumi } from '@acs-kit/infra/pulumi-cli'
import { startStandInProvider } from '../src/stand-in-provider/stand-in-provider.ts'
import { runPulumi } from './pulumi-process.ts'
import { confirmByName } from '@acs-kit/infra/teardown/confirmation'
import { exportMappings } from '@acs-kit/infra/teardown/mapping-export'
import { pulumiIn } from '@acs-kit/infra/teardown/pulumi'
import { conclude, ResourceManager } from '@acs-kit/infra/teardown/resource-manager'
import { parseState } from '@acs-kit/infra/teardown/stack-state'
import { tearDown } from '@acs-kit/infra/teardown/tear-down'

const command = join(import.meta.dirname, '../../../infra/teardown.ts')
const cli = await findPulumi()
if (!cli) process.stdout.write('NOT RUN: teardown tests, no Pulumi CLI (pnpm pulumi:cli)\n')
// Where it is asked for, it has to be there.
const isNeeded = process.env['COMMUNICATION_TEST_PULUMI'] === 'required'

async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...output }
}

/** A token that nobody takes for one. */
const credential = { getToken: async () => ({ token: 'x', expiresOnTimestamp: Date.now() + 60_000 }) }

/** What the question for the stack's name makes of an answer. */
function type(answer: string, stack: string): Promise<boolean> {
  const input = new PassThrough()
  input.end(answer)
  return confirmByName(stack, { input, output: new PassThrough() })
}

describe.runIf(cli !== undefined || isNeeded)(
  'pnpm teardown, with the genuine engine and the stand-in provider,',
  () => {
    const open = new AsyncDisposableStack()
    let emulator: Emulator
    let engine: LocalEngine
    let azurite: Azurite
    let env: NodeJS.ProcessEnv

    beforeAll(async () => {
      emulator = open.use(await startEmulator())
      azurite = open.use(await Azurite.start({ tls: emulator.tlsFiles, oauth: true }))
      emulator.resourceManager.tableEndpoint = azurite.endpoint
      const provider = await startStandInProvider(emulator.resourceManager.servicePrincipal)
      engine = open.use(await LocalEngine.start(cli!, provider))
      const bin = join(engine.folder, 'bin')
      mkdirSync(bin)
      // The stack's configuration is in the engine's folder, which spares the tree.
      writeFileSync(join(bin, 'pulumi'), `#!/bin/sh\ncd '${engine.folder}' && exec '${cli!.command}' "$@"\n`)
      chmodSync(join(bin, 'pulumi'), 0o755)
      const { endpoint, header } = emulator.entra.managedIdentity
      env = {
        ...engine.env,
        PATH: [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
        HOME: engine.folder,
        ARM_METADATA_HOSTNAME: emulator.endpoint.slice(0, -1),
        NODE_EXTRA_CA_CERTS: emulator.caPath,
        IDENTITY_ENDPOINT: endpoint,
        IDENTITY_HEADER: header,
      }
      await runPulumi(engine, 'config', 'set', 'azure-native:location', 'westeurope')
      await runPulumi(engine, 'config', 'set', '--path', 'issuers[0].issuer', emulator.entra.issuer)
      await runPulumi(engine, 'config', 'set', '--path', 'issuers[0].audience', 'api://acs-kit')
      await runPulumi(engine, 'config', 'set', 'protect', 'true')
      await up()
    }, 60_000)
    afterAll(() => open.disposeAsync())

    const up = async () => expect(await runPulumi(engine, 'up', '--yes', '--skip-preview')).toMatchObject({ code: 0 })
    const teardown = (...args: string[]) => run(process.execPath, [command, ...args], env)
    const resources = () => emulator.resourceManager.resources()
    const nameOf = (type: string) => resources().find(({ id }) => id.type.endsWith(type))!.id.name
    const state = async () => (await runPulumi(engine, 'stack', 'export')).stdout
    /** A refusal leaves everything as it was. */
    async function expectUntouched(act: () => Promise<void>): Promise<void> {
      const before = [await state(), resources()]
      await act()
      expect([await state(), resources()]).toEqual(before)
    }

    it('names a stack that there is not', async () => {
      const { code, stderr } = await teardown('nowhere', '--yes')
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^teardown: there is no stack nowhere: /)])
    })

    it('says what would be lost, and touches nothing that nobody confirms', () =>
      expectUntouched(async () => {
        const { code, stdout, stderr } = await teardown('local')
        expect([code, stderr]).toEqual([1, expect.stringMatching(/nothing was touched: add --yes/)])
        expect(stdout).toContain(`CommunicationService ${nameOf('communicationServices')}\n      with every identity: `)
        expect(stdout).toContain(`Table ${nameOf('tables')}\n      which user has which identity`)
        expect(stdout).toMatch(/protected/)
        for (const { id } of resources()) expect(stdout).toContain(id.name)
      }))

    it('touches nothing when another name is typed', () =>
      expectUntouched(async () => {
        const authorityHost = emulator.endpoint.slice(0, -1)
        const refused = tearDown({
          stack: 'local',
          pulumi: pulumiIn(engine.folder, env),
          credential: new ClientSecretCredential(
            wellKnownTenantId,
            wellKnownConfidentialClientId,
            wellKnownClientSecret,
            {
              authorityHost,
              disableInstanceDiscovery: true,
            },
          ),
          cloud: { metadataHost: authorityHost },
          tell: () => {},
          confirm: () => type('prod\n', 'local'),
        })
        await expect(refused).rejects.toThrow('it was not confirmed: nothing was touched')
      }))

    it('destroys nothing when Azure does not tell what is there', () =>
      expectUntouched(async () => {
        emulator.faults.add({ operation: 'armGet', status: 403, count: 100 })
        const { code, stderr } = await teardown('local', '--yes')
        emulator.faults.clear()
        expect([code, stderr]).toEqual([1, expect.stringMatching(/Azure does not tell whether .* is there/)])
      }))

    it('destroys nothing when nobody is signed in', () =>
      expectUntouched(async () => {
        const { code, stderr } = await run(process.execPath, [command, 'local', '--yes'], {
          ...env,
          IDENTITY_HEADER: 'x',
        })
        expect([code, stderr]).toEqual([1, expect.stringMatching(/sign in with `az login`/)])
      }))

    it('overwrites no file with the mappings, and destroys nothing without them', () =>
      expectUntouched(async () => {
        const path = join(engine.folder, 'kept.ndjson')
        writeFileSync(path, 'kept')
        const refused = await teardown('local', '--yes', '--export', path)
        expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/is there already/)])
        expect(readFileSync(path, 'utf8')).toBe('kept')
        // The service makes its table when it first writes; nobody has yet.
        const other = join(engine.folder, 'other.ndjson')
        const failed = await teardown('local', '--yes', '--export', other)
        expect([failed.code, failed.stderr]).toEqual([1, expect.stringMatching(/nothing was destroyed/)])
        expect(existsSync(other)).toBe(false)
      }))

    it('names the role that an export needs', async () => {
      const path = join(engine.folder, 'refused.ndjson')
      const refused = exportMappings({ endpoint: azurite.endpoint, table: 'identities', path }, credential)
      await expect(refused).rejects.toThrow(/Storage Table Data Reader/)
      expect(existsSync(path)).toBe(false)
    })

    it('exports the mappings, says what is left when it fails, and goes on from there', async () => {
      const rows = Array.from({ length: 1001 }, (_, index) => ({
        partitionKey: 'a0',
        rowKey: `user-${index}`,
        communicationUserId: `8:acs:x_${index}`,
      }))
      const table = TableClient.fromConnectionString(azurite.connectionString, nameOf('tables'))
      await table.createTable()
      for (let from = 0; from < rows.length; from += 100) {
        await table.submitTransaction(rows.slice(from, from + 100).map((row) => ['create', row]))
      }
      const path = join(engine.folder, 'mappings.ndjson')
      emulator.faults.add({ operation: 'armDelete', status: 409, count: 1 })
      const failed = await teardown('local', '--yes', '--export', path)
      emulator.faults.clear()
      expect([failed.code, failed.stdout]).toEqual([
        1,
        expect.stringMatching(/not finished.*`pnpm teardown local` goes on from here/),
      ])
      expect(failed.stdout).toMatch(new RegExp(`ResourceGroup ${nameOf('resourceGroups')} +there +still there`))
      expect(failed.stdout).toContain(`Exported 1001 rows to ${path}`)
      const exported = readFileSync(path, 'utf8').trimEnd().split('\n')
      const byKey = (one: { rowKey: string }, other: { rowKey: string }) => one.rowKey.localeCompare(other.rowKey)
      expect(exported.map((line) => JSON.parse(line) as (typeof rows)[0]).toSorted(byKey)).toMatchObject(
        rows.toSorted(byKey),
      )
      expect(statSync(path).mode & 0o777).toBe(0o600)

      const again = await teardown('local', '--yes')
      expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/Nothing is left of the stack local/)])
      expect(resources()).toEqual([])
    })

    it('proves that nothing is left, and shows no key', async () => {
      await up()
      const there = resources().map(({ id }) => id.name)
      const { accessKey } = emulator.resources.at(-1)!
      const { code, stdout, stderr } = await teardown('local', '--yes')
      expect([code, stderr]).toEqual([0, ''])
      const table = stdout.slice(stdout.indexOf('resource  '))
      expect(there.filter((name) => !new RegExp(`${name} +there +nothing\n`).test(table))).toEqual([])
      expect(stdout).not.toContain(accessKey)
      expect(resources()).toEqual([])
    })

    it('tells how far it came when it is interrupted', async () => {
      await up()
      emulator.faults.add({ operation: 'armDelete', latencyMs: 1500, count: 1 })
      // Ctrl+C reaches everything that runs in the terminal.
      const child = spawn(process.execPath, [command, 'local', '--yes'], { env, detached: true, stdio: 'pipe' })
      let stdout = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (!/ deleting /.test(stdout) && / deleting /.test(text)) process.kill(-child.pid!, 'SIGINT')
        stdout += text
      })
      const [code] = (await once(child, 'close')) as [number | null]
      expect([code, stdout]).toEqual([
        1,
        expect.stringMatching(/not finished.*`pnpm teardown local` goes on from here/),
      ])
      expect(stdout).toMatch(new RegExp(`ResourceGroup ${nameOf('resourceGroups')} +there +still there`))
      expect((await teardown('local', '--yes')).code).toBe(0)
    })

    it('finds nothing to destroy after that', async () => {
      const { code, stderr } = await teardown('local', '--yes')
      expect([code, stderr]).toEqual([1, expect.stringMatching(/the stack local has no resources/)])
    })

    it('believes Azure, not Pulumi, that something is gone', async () => {
      await up()
      const exported = JSON.parse(await state()) as { deployment: { resources: { type: string }[] } }
      const retained = exported.deployment.resources.map((resource) =>
        resource.type.endsWith(':ResourceGroup') ? { ...resource, retainOnDelete: true } : resource,
      )
      const file = join(engine.folder, 'retained.json')
      writeFileSync(file, JSON.stringify({ ...exported, deployment: { ...exported.deployment, resources: retained } }))
      expect((await runPulumi(engine, 'stack', 'import', '--file', file)).code).toBe(0)
      const { code, stdout } = await teardown('local', '--yes')
      expect([code, stdout]).toEqual([1, expect.stringMatching(/Pulumi is done, yet not everything is gone/)])
      expect(stdout).toMatch(new RegExp(`ResourceGroup ${nameOf('resourceGroups')} +there +still there`))
      expect(stdout.match(/ still there/g)).toHaveLength(1)
    })
  },
)

it.each<[string, string[], RegExp]>([
  ['without a stack', [], /name one stack/],
  ['of two stacks', ['dev', 'prod'], /name one stack/],
  ['with an unknown option', ['dev', '--force'], /--force/],
  ['where there is no Pulumi', ['dev'], /no Pulumi CLI on PATH/],
])('a teardown %s says what is wrong', async (_name, args, message) => {
  const { code, stderr } = await run(process.execPath, [command, ...args], { PATH: '/nowhere' })
  expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
  expect(stderr.trim().split('\n')).toHaveLength(1)
})

it.each([
  ['dev\n', true],
  ['prod\n', false],
  ['y\n', false],
  ['', false],
])('typing %j confirms the destruction of dev: %s', async (typed, isConfirmed) => {
  expect(await type(typed, 'dev')).toBe(isConfirmed)
})

it.each<[string, object, RegExp | 'gone']>([
  ['ResourceNotFound', {}, 'gone'],
  ['SubscriptionNotFound', {}, /answers 404 SubscriptionNotFound for \/subscriptions\/s\/sites\/a/],
  ['ResourceNotFound', { metadataHost: undefined, environment: 'mars' }, /is "mars"; it must be one of: public/],
])('a 404 by reason of %s proves what it says, with %j', async (code, cloud, expected) => {
  await using emulator = await startEmulator()
  const { certificate, privateKey } = emulator.tlsFiles
  const tls = { cert: readFileSync(certificate), key: readFileSync(privateKey) }
  await using azure = await listenLocally(
    createServer(tls, ({ url, headers }, response) => {
      if (url!.startsWith('/metadata/')) response.end(JSON.stringify({ resourceManager: `https://${headers.host}/` }))
      else response.writeHead(404).end(JSON.stringify({ error: { code } }))
    }),
  )
  const resource = { id: '/subscriptions/s/sites/a', type: 'WebApp', name: 'a', apiVersion: 'v' }
  const survey = async () => {
    const metadataHost = `localhost:${azure.port}`
    return (await ResourceManager.find({ metadataHost, ...cloud }, credential)).survey([resource])
  }
  if (expected === 'gone') expect([...(await survey())]).toEqual([[resource, 'gone']])
  else await expect(survey()).rejects.toThrow(expected)
})

it('what can’t be asked for is there as long as what it is in', () => {
  const ids = ['g', 'g/a', 'g/a/role', 'h/role'].map((id) => ({ id, type: '', name: id, apiVersion: undefined }))
  const [group, account, role, other] = ids as [(typeof ids)[0], (typeof ids)[0], (typeof ids)[0], (typeof ids)[0]]
  const tell = (presence: 'there' | 'gone') => [
    ...conclude(
      new Map([
        [role, 'unknown'],
        [other, 'unknown'],
        [account, 'unknown'],
        [group, presence],
      ]),
    ).values(),
  ]
  expect(tell('there')).toEqual(['there', 'unknown', 'there', 'there'])
  expect(tell('gone')).toEqual(['gone', 'unknown', 'gone', 'gone'])
})

it('a state counts what the stack made, once, and not what it only reads', () => {
  const resource = {
    type: 'azure-native:web:WebApp',
    id: '/subscriptions/s/sites/a',
    outputs: { azureApiVersion: 'v' },
  }
  const other = { ...resource, id: '/subscriptions/s/sites/b', external: true }
  const replaced = { ...resource, id: '/subscriptions/S/sites/A', delete: true }
  const component = { type: 'acs-kit:web:TokenServiceSite' }
  const { resources } = parseState(
    JSON.stringify({ deployment: { resources: [component, resource, replaced, other] } }),
  )
  expect(resources).toMatchObject([{ type: 'WebApp', apiVersion: 'v' }])
})
