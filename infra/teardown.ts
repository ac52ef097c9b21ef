// `pnpm teardown`: destroys a stack on Azure once a person, or `--yes`, has confirmed what will be lost, and proves it.
import { parseArgs } from 'node:util'
import { DefaultAzureCredential } from '@azure/identity'
import { confirmByName } from './teardown/confirmation.ts'
import { pulumiIn } from './teardown/pulumi.ts'
import { tearDown } from './teardown/tear-down.ts'

async function main(): Promise<boolean> {
  const { values, positionals } = parseArgs({
    options: { yes: { type: 'boolean', default: false }, export: { type: 'string' } },
    allowPositionals: true,
  })
  const [stack, ...others] = positionals
  if (stack === undefined || others.length > 0) {
    throw new Error('name one stack: pnpm teardown <stack> [--yes] [--export mappings.ndjson]')
  }
  return tearDown({
    stack,
    exportPath: values.export,
    pulumi: pulumiIn(import.meta.dirname),
    credential: new DefaultAzureCredential(),
    // Where azure-native looks, too.
    cloud: { metadataHost: process.env['ARM_METADATA_HOSTNAME'], environment: process.env['ARM_ENVIRONMENT'] },
    tell: (text) => process.stdout.write(`${text}\n`),
    confirm: async () => {
      if (values.yes) return true
      if (process.stdin.isTTY) return confirmByName(stack, { input: process.stdin, output: process.stdout })
      throw new Error('without a terminal nobody can confirm it, and nothing was touched: add --yes if it shall be')
    },
  })
}

try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  process.stderr.write(`teardown: ${(error as Error).message}\n`)
  process.exitCode = 1
}
