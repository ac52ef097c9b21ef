import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { startEmulator } from '@acs-kit/communication-emulator'
import { findPulumi } from '@acs-kit/infra/pulumi-cli'
import { startEmulatedEngine } from '@acs-kit/local-stack/pulumi/emulated-engine'
import type { LocalEngine } from '@acs-kit/local-stack/pulumi/local-engine'
import { measureInterleaved, timeMs } from '../../interleaved.ts'
import { createMeasurement, type Measurement } from '../../measurement.ts'
import { startNoOpProvider } from './no-op-provider.ts'

/** The default stack on the emulated resource manager, next to the same engine with a provider that does nothing. */
export async function benchmarkUpAndDestroy(): Promise<Measurement[]> {
  const cli = await findPulumi()
  if (!cli) throw new Error('Pulumi CLI not found: run `npm run pulumi:cli`')
  await using emulator = await startEmulator()
  await using subject = await startEmulatedEngine({ cli, emulator })
  await using reference = await startEmulatedEngine({ cli, emulator, provider: await startNoOpProvider() })
  // Each `up` comes before its `destroy`.
  const medians = await measureInterleaved(
    5,
    [subject, reference].flatMap((engine) => ['up', 'destroy'].map((command) => () => timePulumi(engine, command))),
  )
  const [up, destroy, bareUp, bareDestroy] = medians.map((ms) => ms / 1000)
  const name = 'the engine with a provider that does nothing'
  const goal = { of: 'ratio', is: 'below', limit: 1.5 } as const
  return [
    createMeasurement({ name: 'pulumi up', value: up!, unit: 's', reference: { name, value: bareUp! }, goal }),
    createMeasurement({
      name: 'pulumi destroy',
      value: destroy!,
      unit: 's',
      reference: { name, value: bareDestroy! },
      goal,
    }),
  ]
}

/** Runs the CLI itself: the Automation API's queries for outputs and history would flatten the ratio. */
function timePulumi({ env, folder, stack }: LocalEngine, command: string): Promise<number> {
  const args = [command, '--yes', '--skip-preview', '--non-interactive', '--stack', stack.name, '--cwd', folder]
  return timeMs(() => promisify(execFile)(stack.workspace.pulumiCommand.command, args, { env }))
}
