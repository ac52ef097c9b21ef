import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startEmulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { populate, resourceId } from '@acs-kit/test-support/mapping-rows'
import { Random } from '@acs-kit/test-support/random'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { stackEnvironment } from '@acs-kit/test-support/stack-environment'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { TableClient } from '@azure/data-tables'
import { createRows, hashRows } from './mapping-rows.ts'

export interface MappingsDrillOptions {
  readonly users: number
  /** Maximum number of kills of the export, and of the import. */
  readonly kills: number
  readonly seed: number
}

const script = fileURLToPath(import.meta.resolve('@acs-kit/infra/mappings'))
const pollMs = 2

/**
 * Exports a table, imports the file into another one, and kills both commands at random moments. Throws unless the tables are
 * equal in the end. Returns the number of rows, and how many the commands had processed at each kill.
 */
export async function runMappingsDrill({ users, kills, seed }: MappingsDrillOptions) {
  const random = new Random(seed)
  using folder = new TemporaryFolder()
  await using emulator = await startEmulator()
  await using azurite = await Azurite.start({ tls: emulator.tlsFiles, oauth: true })
  const open = (table: string) => TableClient.fromConnectionString(azurite.connectionString, table)
  const run = (table: string, ...args: string[]) => {
    const outputs = { mappingTableEndpoint: azurite.endpoint, mappingTable: table, resourceId }
    return ServerProcess.launch({ script, args, env: stackEnvironment(folder.join(table), emulator, outputs) })
  }
  const [source, target] = [open('source'), open('target')]
  const stored = createRows(users)
  const rows = stored.length
  await populate(source, stored)
  const path = folder.join('backup.ndjson')
  const exportAll = () => run('source', 'export', 'dev', path, '--format', 'ndjson')
  const importAll = () => run('target', 'import', 'dev', path)
  /** Numbers of processed rows after which the command is killed. */
  const limits = () =>
    Array.from({ length: kills }, (_, kill) => Math.floor((rows * (kill + random.next())) / (kills + 1)))

  const exported: number[] = []
  for (const limit of limits()) {
    if (!(await killWhen(exportAll(), async () => countExported(path) > limit))) break
    exported.push(countExported(path))
    if (existsSync(path)) throw new Error('a killed export created the complete file')
  }
  if (!existsSync(path)) await expectOutput(exportAll(), `exported ${rows} rows to ${path}\n`)
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  if (lines.length !== rows || new Set(lines).size !== rows) {
    throw new Error(`the backup has ${lines.length} lines, ${new Set(lines).size} of them different, for ${rows} rows`)
  }

  const imported: number[] = []
  for (const limit of limits()) {
    const { partitionKey, rowKey } = JSON.parse(lines[limit]!) as { partitionKey: string; rowKey: string }
    const isImported = () => target.getEntity(partitionKey, rowKey).then(Boolean, () => false)
    if (!(await killWhen(importAll(), isImported))) break
    imported.push((await hashRows(target)).count)
  }
  await expectOutput(importAll(), / 0 in conflict, 0 rejected\n$/)
  await expectOutput(
    importAll(),
    `0 users and 0 journal entries inserted, ${rows} already present, 0 in conflict, 0 rejected\n`,
  )
  const [before, after] = [await hashRows(source), await hashRows(target)]
  if (before.digest !== after.digest)
    throw new Error(`${after.count} of ${before.count} rows are restored, or some differ`)
  return { rows, exported: exported.join(' '), imported: imported.join(' ') }
}

/** Kills a command when `isReached` resolves to true. Returns false if the command exits before. */
async function killWhen(command: ServerProcess, isReached: () => Promise<boolean>): Promise<boolean> {
  while (!(await isReached())) {
    if (!command.isRunning) return false
    await sleep(pollMs)
  }
  await command.kill()
  return command.signal === 'SIGKILL'
}

async function expectOutput(command: ServerProcess, expected: string | RegExp): Promise<void> {
  const code = await command.exit()
  const { stdout } = command
  if (code === 0 && (typeof expected === 'string' ? stdout === expected : expected.test(stdout))) return
  throw new Error(`the command exited with ${code}: ${stdout}${command.stderr}, expected: ${expected}`)
}

function countExported(path: string): number {
  const checkpoint = `${path}.partial/checkpoint.json`
  return existsSync(checkpoint) ? (JSON.parse(readFileSync(checkpoint, 'utf8')) as { rows: number }).rows : 0
}
