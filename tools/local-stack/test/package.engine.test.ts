import { createHash } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Emulator } from '@acs-kit/communication-emulator'
import { BlobServiceClient } from '@azure/storage-blob'
import { describe, expect, it } from 'vitest'
import { getAppSettings } from '../src/app-service.ts'
import type { LocalEngine } from '../src/pulumi/local-engine.ts'
import { useEngine } from './engine-fixture.ts'
import { runPulumi, runsEngine } from './pulumi-process.ts'

// Each step builds on the ones before it.
describe.runIf(runsEngine)("the service's package, with the genuine engine and the stand-in provider", () => {
  let emulator: Emulator
  let engine: LocalEngine
  let service: BlobServiceClient
  let builtPackage: string

  useEngine(
    (azure) => {
      ;({ emulator, engine } = azure)
      service = BlobServiceClient.fromConnectionString(azure.azurite!.connectionString)
      builtPackage = azure.servicePackage!.path
    },
    { storage: 'blob' },
  )

  const run = (...args: string[]) => runPulumi(engine, ...args, '--yes', '--skip-preview')
  const container = () => service.getContainerClient('packages')
  const listBlobs = () => Array.fromAsync(container().listBlobsFlat())
  const listNames = async () => (await listBlobs()).map(({ name }) => name)
  const toName = (path: string) =>
    `token-service-${createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)}.zip`
  const changedPackage = () => join(engine.folder, 'changed.zip')
  const find = (type: string) => emulator.resourceManager.resources().find(({ id }) => id.type.endsWith(`/${type}`))!
  /** Counts the requests for the account's keys since the last call. Each operation on a blob makes one. */
  function countKeyRequests(): number {
    const count = emulator.requests.list().filter(({ path }) => /\/storageAccounts\/[^/]+\/listKeys$/.test(path)).length
    emulator.requests.clear()
    return count
  }

  it('previews an upload without making it', async () => {
    const { code, stdout } = await runPulumi(engine, 'preview')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\+ 21 to create/)])
    expect(await Array.fromAsync(service.listContainers())).toEqual([])
  })

  it('uploads the package, and points the site and its identity to it', async () => {
    expect(await run('up')).toMatchObject({ code: 0, stderr: '' })
    const [blob, ...others] = await listBlobs()
    expect(others).toEqual([])
    expect(blob).toMatchObject({ name: toName(builtPackage), properties: { contentType: 'application/zip' } })
    const client = container().getBlobClient(blob!.name)
    expect((await client.downloadToBuffer()).equals(readFileSync(builtPackage))).toBe(true)
    expect(getAppSettings(emulator)).toMatchObject({
      WEBSITE_RUN_FROM_PACKAGE: client.url,
      WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID: find('userAssignedIdentities').id.id,
    })
    expect(countKeyRequests()).toBeGreaterThan(0)
  })

  it('does not upload it again, even from another path', async () => {
    const [before] = await listBlobs()
    const packagePath = join(engine.folder, 'copy.zip')
    copyFileSync(builtPackage, packagePath)
    await engine.configure({ packagePath })
    expect((await run('up', '--expect-no-changes')).code).toBe(0)
    expect(countKeyRequests()).toBe(0)
    expect((await run('refresh', '--expect-no-changes')).code).toBe(0)
    const [after] = await listBlobs()
    expect(after!.properties.etag).toBe(before!.properties.etag)
  })

  it('uploads a changed package before the site changes, and deletes the former one after it', async () => {
    writeFileSync(changedPackage(), 'another package')
    await engine.configure({ packagePath: changedPackage() })
    const fault = emulator.faults.add({ operation: 'armPut', latencyMs: 600_000 })
    const up = run('up')
    // Both packages exist while the site is written.
    await expect.poll(() => emulator.faults.list()[0]!.appliedCount, { timeout: 60_000 }).toBe(1)
    expect(new Set(await listNames())).toEqual(new Set([builtPackage, changedPackage()].map(toName)))
    emulator.faults.remove(fault)
    expect((await up).stdout).toMatch(/\+ 1 created\n +~ 1 updated\n +- 1 deleted/)
    expect(await listNames()).toEqual([toName(changedPackage())])
    expect(getAppSettings(emulator)['WEBSITE_RUN_FROM_PACKAGE']).toBe(
      container().getBlobClient(toName(changedPackage())).url,
    )
  }, 120_000)

  it.each<[string, (name: string) => Promise<unknown>]>([
    ['deleted', (name) => container().deleteBlob(name)],
    ['overwritten', (name) => container().getBlockBlobClient(name).upload('overwritten', 11)],
  ])('restores a package that was %s, once it is refreshed', async (_change, change) => {
    const name = toName(changedPackage())
    await change(name)
    expect((await run('up', '--refresh')).code).toBe(0)
    expect((await container().getBlobClient(name).downloadToBuffer()).toString()).toBe('another package')
  })

  it('destroys the package and its container', async () => {
    const { code, stdout } = await run('destroy')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/21 deleted/)])
    expect(await Array.fromAsync(service.listContainers())).toEqual([])
    expect(emulator.resourceManager.resources()).toEqual([])
  })
})
