import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startEmulator } from '@acs-kit/communication-emulator'
import { describe, expect, it } from 'vitest'
import { startEmulatedEngine } from '../src/pulumi/emulated-engine.ts'
import type { LocalEngine } from '../src/pulumi/local-engine.ts'
import { resourceTable } from '../src/stand-in-provider/resource-table.ts'
import { cli, runPulumi, runsEngine } from './pulumi-process.ts'

interface StoredResource {
  readonly type: string
  readonly id: string
  readonly inputs: Readonly<Record<string, unknown>>
}

const supported = Object.keys(resourceTable).filter((type) => !/:Blob(?:Container)?$/.test(type))

async function readState(engine: LocalEngine): Promise<StoredResource[]> {
  const { stdout } = await runPulumi(engine, 'stack', 'export', '--show-secrets')
  const { deployment } = JSON.parse(stdout) as { deployment: { resources: StoredResource[] } }
  return deployment.resources.filter(({ type }) => type.startsWith('azure-native:'))
}

describe.runIf(runsEngine)('the genuine engine with the stand-in provider', () => {
  it('imports every supported type with the inputs that created it', async () => {
    await using emulator = await startEmulator()
    await using owner = await startEmulatedEngine({ cli: cli!, emulator })
    // Everything that an option adds, except the package: a blob is not a resource of the resource manager.
    await owner.configure({
      'tags.team': 'a',
      keyless: 'true',
      protect: 'true',
      sku: 'S1',
      'instances.min': '1',
      'instances.max': '2',
    })
    await owner.up()
    const created = await readState(owner)
    expect(new Set(created.map(({ type }) => type))).toEqual(new Set(supported))
    await using importer = await startEmulatedEngine({ cli: cli!, emulator })
    const file = join(importer.folder, 'import.json')
    const resources = created.map(({ type, id }, index) => ({ type, id, name: `imported-${index}` }))
    writeFileSync(file, JSON.stringify({ resources }))
    const options = ['--file', file, '--yes', '--skip-preview', '--generate-code=false', '--protect=false']
    const { code, stdout, stderr } = await runPulumi(importer, 'import', ...options)
    expect([code, stdout + stderr]).toEqual([0, expect.stringContaining(`${created.length} imported`)])
    for (const { type, id, inputs } of await readState(importer)) {
      // Without what the provider added, and what cannot be read.
      const {
        __createBeforeDelete: _,
        azureApiVersion: __,
        ...own
      } = created.find((resource) => resource.id === id)!.inputs
      const expected = type.endsWith(':WebApp') ? { ...own, siteConfig: inputs['siteConfig'] } : own
      expect.soft(inputs, type).toMatchObject(expected)
    }
    const refreshed = await runPulumi(importer, 'refresh', '--yes', '--skip-preview', '--diff')
    const changes = [...refreshed.stdout.matchAll(/^ +[-+~] (\w+): /gm)].map(([, name]) => name)
    // azure-native adds this input only in a preview or an `up`.
    expect([refreshed.code, new Set(changes)]).toEqual([0, new Set(['azureApiVersion'])])
  })
})
