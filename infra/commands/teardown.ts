// `npm run teardown`: destroys a stack in Azure after confirmation and verifies that no resources remain.
import { DefaultAzureCredential } from '@azure/identity'
import { readCloud } from '../cloud.ts'
import { createCommand, resolvePath, runCommand } from './command-line.ts'
import { openStack } from '../stack/open-stack.ts'
import { requirePulumi } from '../pulumi-cli/pulumi-cli.ts'
import { confirm } from '../teardown/confirmation.ts'
import { tearDownStack } from '../teardown/tear-down-stack.ts'

interface TeardownFlags {
  readonly yes?: true
  readonly export?: string
}

const label = 'teardown'
const command = createCommand(
  { label, invocation: 'npm run teardown --' },
  'destroy a stack in Azure and verify that no resources remain',
)
  .argument('<stack>', 'name of the stack, such as dev')
  .option('--yes', 'destroy without asking for confirmation')
  .option('--export <file>', 'first write the identity mappings to a new file, one JSON object per line', resolvePath)
  .action(async (name: string, flags: TeardownFlags) => {
    process.exitCode = (await run(name, flags)) ? 0 : 1
  })

async function run(name: string, flags: TeardownFlags): Promise<boolean> {
  return tearDownStack({
    stack: await openStack(name, await requirePulumi()),
    exportPath: flags.export,
    credential: new DefaultAzureCredential(),
    cloud: readCloud(process.env),
    output: process.stdout,
    confirm: () => confirm(name, { isConfirmed: flags.yes, purpose: 'destroy the stack' }),
  })
}

await runCommand(label, command)
