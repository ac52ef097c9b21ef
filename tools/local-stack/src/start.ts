// `npm start`: the whole life of the resource with no Azure account. With `--keep` everything stays up for use.
import { parseArgs } from 'node:util'
import { ensurePulumi } from '@acs-kit/infra/pulumi-cli'
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import { showLife } from './life.ts'
import { findNamedResource } from './named-resource.ts'
import { portOptions, readPorts } from './ports.ts'
import { explain, runProgram } from './program.ts'

async function main(signal: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      ...portOptions,
      keep: { type: 'boolean', default: false },
      // `--no-pulumi`, for those who don't want a CLI to be fetched or built.
      pulumi: { type: 'boolean', default: true },
    },
  })
  const ports = values.keep ? readPorts(values) : { emulator: 0, service: 0 }
  const connectionString = await findNamedResource()
  const cli = values.pulumi && connectionString === undefined ? await findOrExplain(signal) : undefined
  await showLife({ cli, connectionString, ports, stays: values.keep, signal })
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function findOrExplain(signal: AbortSignal): Promise<PulumiCommand | undefined> {
  try {
    return await ensurePulumi(tell, signal)
  } catch (error) {
    signal.throwIfAborted()
    tell(`Nothing is provisioned, the emulator's default resource is used: ${explain(error)}`)
    return undefined
  }
}

await runProgram(main)
