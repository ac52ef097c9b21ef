// `npm run mappings`: exports and restores the mapping of users to identities.
import { DefaultAzureCredential } from '@azure/identity'
import { Option } from 'commander'
import { createCommand, resolvePath, runCommand } from './command-line.ts'
import { csv, exportMappings, ndjson } from '../mappings/export-mappings.ts'
import { formatCount } from '../mappings/format-count.ts'
import { formatCounts, importMappings } from '../mappings/import-mappings.ts'
import { findMappingTable, type MappingTable } from '../mappings/mapping-table.ts'
import { createProgressLog } from '../mappings/progress-log.ts'
import type { UnmappedStatus } from '../mappings/row-format.ts'
import { readOutputs } from '../stack/read-outputs.ts'

interface ExportFlags {
  readonly format: 'csv' | 'ndjson'
  readonly unmapped?: UnmappedStatus
}

interface ImportFlags {
  readonly dryRun?: boolean
}

const label = 'mappings'
const invocation = 'npm run mappings --'
const log = createProgressLog(
  (line) => void process.stderr.write(`${label}: ${line}\n`),
  () => performance.now(),
)

const exportCommand = createCommand(
  { label, invocation: `${invocation} export` },
  'write the mapping to a new file; run it again to continue after an interruption',
)
  .name('export')
  .argument('<stack>', 'name of the stack, such as dev')
  .argument('[file]', 'name of the new file (default: mappings-<stack>.<format>)')
  .addOption(
    new Option('--format <format>', 'csv: the map for a migration; ndjson: a complete backup')
      .choices(['csv', 'ndjson'])
      .makeOptionMandatory(),
  )
  .addOption(
    new Option(
      '--unmapped <status>',
      'status of users without an Entra ID user in the csv (default: unresolved)',
    ).choices(['unresolved', 'archive-only']),
  )
  .action(async (stack: string, file: string | undefined, { format, unmapped }: ExportFlags) => {
    // A name may include the organization and the project.
    const path = resolvePath(file ?? `mappings-${stack.split('/').at(-1)}.${format}`)
    if (format === 'ndjson' && unmapped !== undefined) {
      throw new Error('--unmapped applies only to --format csv: omit it')
    }
    const table = await openTable(stack)
    const rows = await exportMappings({
      table,
      format: format === 'ndjson' ? ndjson : csv(unmapped ?? 'unresolved'),
      path,
      log,
    })
    process.stdout.write(`exported ${formatCount(rows, 'row')} to ${path}\n`)
  })

const importCommand = createCommand(
  { label, invocation: `${invocation} import` },
  'insert the rows of a backup that do not exist; existing rows stay as they are',
)
  .name('import')
  .argument('<stack>', 'name of the stack, such as dev')
  .argument('<file>', 'backup, exported with --format ndjson', resolvePath)
  .option('--dry-run', 'count what would be imported, and change nothing')
  .action(async (stack: string, path: string, { dryRun: isDryRun = false }: ImportFlags) => {
    const table = await openTable(stack)
    const onProblem = (line: number, message: string) => log.print(`${path}:${line}: not imported: ${message}`)
    const counts = await importMappings({ table, path, isDryRun, log, onProblem })
    process.stdout.write(`${isDryRun ? 'dry run, nothing was changed: ' : ''}${formatCounts(counts, isDryRun)}\n`)
    process.exitCode = counts.conflict + counts.rejected === 0 ? 0 : 1
  })

async function openTable(name: string): Promise<MappingTable> {
  const table = findMappingTable(await readOutputs(name), new DefaultAzureCredential())
  if (table) return table
  throw new Error(`stack ${name} has no mapping table: deploy it with \`pulumi up\` in infra/`)
}

const command = createCommand({ label, invocation }, 'export and restore the mapping of users to identities')
await runCommand(label, command.addCommand(exportCommand).addCommand(importCommand))
