// `pnpm up:local`: provisions on an emulated Azure, starts the service's package with the outputs, and stays up. With
// `--once` it is used and destroyed instead, and the exit code says whether all of that worked.
import { parseArgs } from 'node:util'
import { ensurePulumi } from '@acs-kit/infra/pulumi-cli'
import { showLife } from './life.ts'
import { portOptions, readPorts } from './ports.ts'
import { runProgram } from './program.ts'

async function main(signal: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...portOptions,
      once: { type: 'boolean', default: false },
      keyless: { type: 'boolean', default: false },
    },
  })
  const { once, keyless } = values
  const ports = once ? { emulator: 0, service: 0 } : readPorts(values)
  const cli = await ensurePulumi((line) => void process.stdout.write(`${line}\n`), signal)
  await showLife({ cli, keyless, ports, stays: !once, signal })
}

await runProgram(main)
