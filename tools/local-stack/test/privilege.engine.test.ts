import type { Emulator } from '@acs-kit/communication-emulator'
import { describe, expect, it } from 'vitest'
import type { LocalEngine } from '../src/pulumi/local-engine.ts'
import { useEngine } from './engine-fixture.ts'
import { runPulumi, runsEngine } from './pulumi-process.ts'

let emulator: Emulator
let engine: LocalEngine

const run = (...args: string[]) => runPulumi(engine, ...args)
const configure = (options: Readonly<Record<string, boolean>>) =>
  engine.configure(Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)])))
const up = (...args: string[]) => run('up', '--yes', '--skip-preview', ...args)
const resources = (type: string) =>
  emulator.resourceManager.resources().filter(({ id }) => id.type.split('/').at(-1) === type)
const getOne = (type: string) => {
  const found = resources(type)
  expect(found, type).toHaveLength(1)
  return found[0]!
}

/** Sends a request to the resource manager, as a user would with az. */
async function send(method: string, path: string, body?: object) {
  const { accessToken } = await emulator.entra.signIn({ user: 'platform', audience: 'https://management.azure.com' })
  // One that the strictest type serves; the others serve any.
  const response = await fetch(new URL(`${path}?api-version=2026-03-18`, emulator.endpoint), {
    method,
    headers: { Authorization: `Bearer ${accessToken}` },
    ...(body && { body: JSON.stringify(body) }),
  })
  const { error } = (await response.json().catch(() => ({}))) as { error?: { code: string } }
  return [response.status, error?.code]
}

/** Types of the resources in the order in which an `up` or `destroy` deleted them. */
function getDeletedTypes(): string[] {
  const deletions = emulator.requests.list().filter(({ operation }) => operation === 'armDelete')
  return deletions.map(({ path }) => path.split('/').at(-2)!)
}

// Each step builds on the ones before it.
describe.runIf(runsEngine)('a keyless, protected stack', () => {
  useEngine((azure) => ({ emulator, engine } = azure), { settings: { keyless: 'true', protect: 'true' } })

  it('gives the site a role of its own for the resource, and one for the table only', async () => {
    const { code, stderr } = await up()
    expect([code, stderr]).toEqual([0, ''])
    const group = getOne('resourceGroups').id
    const definition = getOne('roleDefinitions')
    expect(definition.id.id).toMatch(/^\/subscriptions\/[^/]+\/providers\/Microsoft\.Authorization\/roleDefinitions\//)
    expect(definition.envelope.properties).toMatchObject({
      roleName: `${group.name} token issuer`,
      assignableScopes: [group.id],
      permissions: [
        {
          actions: [
            'Microsoft.Communication/CommunicationServices/Read',
            'Microsoft.Communication/CommunicationServices/Write',
          ],
          notActions: [],
          dataActions: [],
          notDataActions: [],
        },
      ],
    })
    const assignments = resources('roleAssignments').map(({ id, envelope }) => [
      id.scope.id,
      envelope.properties!['roleDefinitionId'],
    ])
    const subscription = definition.id.id.split('/providers/')[0]
    expect(new Map(assignments as [string, string][])).toEqual(
      new Map([
        [getOne('communicationServices').id.id, definition.id.id],
        [
          getOne('tables').id.id,
          `${subscription}/providers/Microsoft.Authorization/roleDefinitions/0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3`,
        ],
      ]),
    )
  })

  it('is unchanged in a refresh', async () => {
    expect((await run('refresh', '--yes', '--skip-preview', '--expect-no-changes')).code).toBe(0)
  })

  it.each(['communicationServices', 'storageAccounts', 'tables', 'resourceGroups', 'roleAssignments'])(
    'locks its %s against deletion outside Pulumi',
    async (type) => {
      const before = emulator.resourceManager.resources()
      for (const { id } of resources(type)) expect(await send('DELETE', id.id)).toEqual([409, 'ScopeLocked'])
      expect(emulator.resourceManager.resources()).toEqual(before)
    },
  )

  it('finds a lock that was removed outside Pulumi', async () => {
    expect(await send('DELETE', resources('locks')[0]!.id.id)).toEqual([200, undefined])
    expect((await run('refresh', '--yes', '--skip-preview')).stdout).toMatch(/1 deleted/)
  })

  it('gets that lock again, and is otherwise unchanged in an up', async () => {
    const { stdout } = await up()
    expect(stdout).toMatch(/Resources:\n +\+ 1 created\n +\d+ unchanged\n/)
    expect(stdout).not.toContain('warning')
    expect(resources('locks')).toHaveLength(2)
  })

  it('does not delete the role of a locked resource, as when keyless is switched off', async () => {
    await configure({ keyless: false })
    const { code, stdout } = await up()
    expect([code, stdout]).toEqual([expect.any(Number), expect.stringContaining('Code="ScopeLocked"')])
    expect(code).not.toBe(0)
    expect([resources('roleDefinitions').length, resources('locks').length]).toEqual([1, 2])
    await configure({ keyless: true })
  })

  it('removes only the locks when its protection is removed', async () => {
    await configure({ protect: false })
    emulator.requests.clear()
    expect((await up()).code).toBe(0)
    expect(getDeletedTypes()).toEqual(['locks', 'locks'])
  })

  it('deletes the role after the locks', async () => {
    emulator.requests.clear()
    await configure({ keyless: false, protect: false })
    expect((await up()).code).toBe(0)
    expect(getDeletedTypes()).toEqual(['roleAssignments', 'roleDefinitions'])
  })

  // As after an interruption while one of them was created.
  it('names a role that exists without being in its state', async () => {
    const group = getOne('resourceGroups').id
    const id = `${group.scope.id}/providers/Microsoft.Authorization/roleDefinitions/11111111-2222-4333-8444-555555555555`
    const permissions = [{ actions: [] }]
    const properties = { roleName: `${group.name} token issuer`, assignableScopes: [group.id], permissions }
    expect(await send('PUT', id, { properties })).toEqual([201, undefined])
    await configure({ keyless: true, protect: true })
    const { code, stdout } = await up()
    expect([code, stdout]).toEqual([1, expect.stringContaining('Code="RoleDefinitionWithSameNameExists"')])
    expect(await send('DELETE', id)).toEqual([200, undefined])
  })

  it('names a lock that exists without being in its state', async () => {
    const id = `${getOne('communicationServices').id.id}/providers/Microsoft.Authorization/locks/acs-kit-protect`
    expect(await send('PUT', id, { properties: { level: 'CanNotDelete' } })).toEqual([201, undefined])
    const { code, stdout } = await up()
    expect([code, stdout]).toEqual([1, expect.stringContaining(`cannot create already existing resource '${id}'`)])
    expect(await send('DELETE', id)).toEqual([200, undefined])
  })

  it('is locked and keyless again', async () => {
    expect((await up()).code).toBe(0)
    expect([resources('roleDefinitions').length, resources('locks').length]).toEqual([1, 2])
  })

  it('keeps its locks when a destroy is rejected', async () => {
    const before = emulator.resourceManager.resources()
    const { code, stdout, stderr } = await run('destroy', '--yes')
    expect([code, stdout + stderr]).toEqual([expect.any(Number), expect.stringMatching(/protect/)])
    expect(code).not.toBe(0)
    expect(emulator.resourceManager.resources()).toEqual(before)
  })

  it('loses its locks, but not what they protect, when a destroy is rejected only after it began', async () => {
    expect((await run('destroy', '--yes', '--skip-preview')).code).not.toBe(0)
    expect([resources('locks').length, resources('sites').length]).toEqual([0, 0])
    for (const type of ['communicationServices', 'tables']) getOne(type)
  })

  it('gets its locks and site again', async () => {
    expect((await up()).code).toBe(0)
    expect([resources('locks').length, resources('sites').length]).toEqual([2, 1])
  })

  it('deletes the role in the same up as the locks', async () => {
    await configure({ keyless: false, protect: false })
    emulator.requests.clear()
    expect((await up()).code).toBe(0)
    expect(getDeletedTypes()).toEqual(['locks', 'locks', 'roleAssignments', 'roleDefinitions'])
    // The other assignment is that of the table.
    expect(resources('roleAssignments')).toHaveLength(1)
  })

  it('gets both again', async () => {
    await configure({ keyless: true, protect: true })
    expect((await up()).code).toBe(0)
    expect([resources('roleDefinitions').length, resources('locks').length]).toEqual([1, 2])
  })

  it('is destroyed without its protection, locks first, and leaves no role in the subscription', async () => {
    expect((await run('state', 'unprotect', '--all', '--yes')).code).toBe(0)
    emulator.requests.clear()
    const { code } = await run('destroy', '--yes', '--skip-preview')
    expect([code, emulator.resourceManager.resources()]).toEqual([0, []])
    const types = getDeletedTypes()
    const lastLock = types.lastIndexOf('locks')
    for (const type of ['tables', 'roleAssignments', 'storageAccounts', 'communicationServices']) {
      expect(types.indexOf(type), type).toBeGreaterThan(lastLock)
    }
    expect(types.indexOf('roleDefinitions')).toBeGreaterThan(types.indexOf('roleAssignments'))
  })
})
