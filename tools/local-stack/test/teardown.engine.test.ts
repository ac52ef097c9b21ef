import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Emulator } from '@acs-kit/communication-emulator'
import type { Azurite } from '@acs-kit/test-support/azurite'
import { TableClient } from '@azure/data-tables'
import { describe, expect, it } from 'vitest'
import type { LocalEngine } from '../src/pulumi/local-engine.ts'
import { useEngine } from './engine-fixture.ts'
import { prepareCommand } from './infra-command.ts'
import { runPulumi, runsEngine } from './pulumi-process.ts'

const command = fileURLToPath(import.meta.resolve('@acs-kit/infra/teardown'))
/** Lets the command take its input for a terminal's. */
const terminal = `--import=data:text/javascript,${encodeURIComponent('process.stdin.isTTY = true')}`

// Each step builds on the ones before it.
describe.runIf(runsEngine)('npm run teardown, with the genuine engine and the stand-in provider', () => {
  let emulator: Emulator
  let engine: LocalEngine
  let azurite: Azurite
  let run: ReturnType<typeof prepareCommand>

  useEngine(
    async (azure) => {
      ;({ emulator, engine } = azure)
      azurite = azure.azurite!
      run = prepareCommand(command, engine, emulator)
      await engine.up()
    },
    { storage: 'table', settings: { protect: 'true' } },
  )

  const teardown = (...args: string[]) => run(args)
  const resources = () => emulator.resourceManager.resources()
  const getName = (type: string) => resources().find(({ id }) => id.type.endsWith(type))!.id.name
  const state = async () => (await runPulumi(engine, 'stack', 'export')).stdout
  async function expectUnchanged(act: () => Promise<void>): Promise<void> {
    const before = [await state(), resources()]
    await act()
    expect([await state(), resources()]).toEqual(before)
  }

  it('rejects an unknown stack', async () => {
    const { code, stderr } = await teardown('nowhere', '--yes')
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^teardown: stack nowhere does not exist: /)])
  })

  it('lists the losses, and changes nothing without confirmation', () =>
    expectUnchanged(async () => {
      const { code, stdout, stderr } = await teardown('local')
      expect([code, stderr]).toEqual([1, expect.stringMatching(/pass --yes \(nothing was changed\)/)])
      expect(stdout).toContain(`CommunicationService ${getName('communicationServices')}\n      and all identities: `)
      expect(stdout).toMatch(/Release its phone numbers first.*\n +`az communication phonenumber list`/)
      expect(stdout).toContain(`Table ${getName('tables')}\n      and the mapping of users to identities`)
      expect(stdout).toMatch(/protected: the protection is removed first, and then any locks/)
      expect(resources().filter(({ id }) => id.type.endsWith('/locks'))).toHaveLength(2)
      for (const { id } of resources()) expect(stdout).toContain(id.name)
    }))

  it('changes nothing when another name is typed', () =>
    expectUnchanged(async () => {
      const { code, stdout, stderr } = await run(['local'], { env: { NODE_OPTIONS: terminal }, input: 'prod\n' })
      expect([code, stderr]).toEqual([1, 'teardown: not confirmed: nothing was changed\n'])
      expect(stdout).toMatch(/To destroy the stack, type its name, local: /)
    }))

  it('names the passphrase variable when it is missing, and changes nothing', () =>
    expectUnchanged(async () => {
      const { code, stderr } = await run(['local', '--yes'], { env: { PULUMI_CONFIG_PASSPHRASE: undefined } })
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^teardown: .*PULUMI_CONFIG_PASSPHRASE/)])
    }))

  it('does not change which stack the user has selected', async () => {
    const { workspace } = engine.stack
    await workspace.createStack('other')
    expect((await teardown('local')).code).toBe(1)
    expect(await workspace.stack()).toMatchObject({ name: 'other' })
  })

  it('destroys nothing when access to the resources is denied', () =>
    expectUnchanged(async () => {
      emulator.faults.add({ operation: 'armGet', status: 403, count: 100 })
      const { code, stderr } = await teardown('local', '--yes')
      emulator.faults.clear()
      expect([code, stderr]).toEqual([1, expect.stringMatching(/access denied to .*: you need the Reader role/)])
    }))

  it('destroys nothing when the user is not signed in', () =>
    expectUnchanged(async () => {
      const { code, stderr } = await run(['local', '--yes'], { env: { IDENTITY_HEADER: 'x' } })
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^teardown: not signed in to Azure: run `az login`: .*\n$/),
      ])
    }))

  it('overwrites no file with the mappings, and destroys nothing when the export fails', () =>
    expectUnchanged(async () => {
      const path = join(engine.folder, 'kept.ndjson')
      writeFileSync(path, 'kept')
      const rejected = await teardown('local', '--yes', '--export', path)
      expect([rejected.code, rejected.stderr]).toEqual([1, expect.stringMatching(/already exists/)])
      expect(readFileSync(path, 'utf8')).toBe('kept')
      await TableClient.fromConnectionString(azurite.connectionString, getName('tables')).deleteTable()
      const other = join(engine.folder, 'other.ndjson')
      const failed = await teardown('local', '--yes', '--export', other)
      expect([failed.code, failed.stderr]).toEqual([1, expect.stringMatching(/nothing was destroyed/)])
      expect(existsSync(other)).toBe(false)
    }))

  it('destroys nothing while the group has a lock that the stack did not create', async () => {
    const { accessToken } = await emulator.entra.signIn({ user: 'platform', audience: 'https://management.azure.com' })
    const group = resources().find(({ id }) => id.type.endsWith('/resourceGroups'))!.id.id
    const lock = `${group}/providers/Microsoft.Authorization/locks/theirs`
    const send = (method: string, body?: object) =>
      fetch(new URL(`${lock}?api-version=2020-05-01`, emulator.endpoint), {
        method,
        headers: { Authorization: `Bearer ${accessToken}` },
        ...(body && { body: JSON.stringify(body) }),
      })
    expect((await send('PUT', { properties: { level: 'CanNotDelete' } })).status).toBe(201)
    await expectUnchanged(async () => {
      const { code, stdout, stderr } = await teardown('local', '--yes')
      const message = `teardown: the group of stack local has locks that the stack did not create: remove them with \`az lock delete --ids ${lock}\` and run the command again\n`
      expect([code, stdout, stderr]).toEqual([1, '', message])
    })
    expect((await send('DELETE')).status).toBe(200)
  })

  it('exports the mappings, and lists what remains after a failure', async () => {
    const rows = Array.from({ length: 1001 }, (_, index) => ({
      partitionKey: 'a0',
      rowKey: `user-${index}`,
      communicationUserId: `8:acs:x_${index}`,
    }))
    const table = TableClient.fromConnectionString(azurite.connectionString, getName('tables'))
    await table.createTable()
    for (let from = 0; from < rows.length; from += 100) {
      await table.submitTransaction(rows.slice(from, from + 100).map((row) => ['create', row]))
    }
    const path = join(engine.folder, 'mappings.ndjson')
    // An earlier export, which is not continued.
    mkdirSync(`${path}.partial`, { mode: 0o700 })
    writeFileSync(`${path}.partial/rows`, '{}\n', { mode: 0o600 })
    const content = `ndjson, of ${azurite.endpoint}/${getName('tables')}`
    const checkpoint = { content, bytes: 3, rows: 1, isLast: true, owner: 'x' }
    writeFileSync(`${path}.partial/checkpoint.json`, JSON.stringify(checkpoint))
    emulator.faults.add({ operation: 'armDelete', status: 409, count: 1 })
    const failed = await run(['local', '--yes', '--export', 'mappings.ndjson'], {
      env: { INIT_CWD: engine.folder },
    })
    emulator.faults.clear()
    expect([failed.code, failed.stdout]).toEqual([
      1,
      expect.stringMatching(/Incomplete.*Run `npm run teardown -- local` again to continue/),
    ])
    expect(failed.stdout).toMatch(new RegExp(`ResourceGroup ${getName('resourceGroups')} +exists +still exists`))
    expect(failed.stdout).toContain(`Exported 1001 rows to ${path}`)
    const exported = readFileSync(path, 'utf8').trimEnd().split('\n')
    const byKey = (one: { rowKey: string }, other: { rowKey: string }) => one.rowKey.localeCompare(other.rowKey)
    expect(exported.map((line) => JSON.parse(line) as (typeof rows)[0]).toSorted(byKey)).toMatchObject(
      rows.toSorted(byKey),
    )
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('lists what remains when it is interrupted, and continues from there', async () => {
    emulator.faults.add({ operation: 'armDelete', latencyMs: 1500, count: 1 })
    // Ctrl+C reaches every process of the terminal.
    let isInterrupted = false
    const { code, stdout } = await run(['local', '--yes'], {
      onOutput: (child, text) => {
        if (isInterrupted || !/ deleting /.test(text)) return
        isInterrupted = true
        process.kill(-child.pid!, 'SIGINT')
      },
    })
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/Incomplete.*Run `npm run teardown -- local` again to continue/),
    ])
    expect(stdout).toMatch(new RegExp(`ResourceGroup ${getName('resourceGroups')} +exists +still exists`))
    const again = await teardown('local', '--yes')
    expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/No resources of stack local remain/)])
    expect(resources()).toEqual([])
  })

  it('verifies that nothing remains, and shows no key', async () => {
    await engine.up()
    const names = resources().map(({ id }) => id.name)
    const { accessKey } = emulator.resources.at(-1)!
    const { code, stdout, stderr } = await run(['local'], { env: { NODE_OPTIONS: terminal }, input: 'local\n' })
    expect([code, stderr]).toEqual([0, ''])
    const table = stdout.slice(stdout.indexOf('resource  '))
    expect(names.filter((name) => !new RegExp(`${name} +exists +deleted\n`).test(table))).toEqual([])
    expect(stdout).not.toContain(accessKey)
    expect(resources()).toEqual([])
  })

  it('rejects a stack without resources', async () => {
    const { code, stderr } = await teardown('local', '--yes')
    expect([code, stderr]).toEqual([1, expect.stringMatching(/stack local has no resources/)])
  })

  it('trusts Azure, not Pulumi, on what is deleted', async () => {
    await engine.up()
    const exported = JSON.parse(await state()) as { deployment: { resources: { type: string }[] } }
    const retained = exported.deployment.resources.map((resource) =>
      resource.type.endsWith(':ResourceGroup') ? { ...resource, retainOnDelete: true } : resource,
    )
    const file = join(engine.folder, 'retained.json')
    writeFileSync(file, JSON.stringify({ ...exported, deployment: { ...exported.deployment, resources: retained } }))
    expect((await runPulumi(engine, 'stack', 'import', '--file', file)).code).toBe(0)
    const { code, stdout } = await teardown('local', '--yes')
    expect([code, stdout]).toEqual([1, expect.stringMatching(/Pulumi finished, but some resources still exist/)])
    expect(stdout).toMatch(new RegExp(`ResourceGroup ${getName('resourceGroups')} +exists +still exists`))
    expect(stdout.match(/ still exists/g)).toHaveLength(1)
  })
})
