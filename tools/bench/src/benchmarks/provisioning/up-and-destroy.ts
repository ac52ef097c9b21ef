import { startEmulator } from '@acs-kit/communication-emulator'
import { startEmulatedEngine } from '@acs-kit/local-stack/pulumi/emulated-engine'
import { measureInterleaved, timeMs } from '../../interleaved.ts'
import { createMeasurement, type Measurement } from '../../measurement.ts'
import { startNoOpProvider } from './no-op-provider.ts'
import { requireCli, runPulumi } from './run-pulumi.ts'

/** The default stack on the emulated resource manager, next to the same engine with a provider that does nothing. */
export async function benchmarkUpAndDestroy(): Promise<Measurement[]> {
  const cli = await requireCli()
  await using emulator = await startEmulator()
  await using subject = await startEmulatedEngine({ cli, emulator })
  await using reference = await startEmulatedEngine({ cli, emulator, provider: await startNoOpProvider() })
  // Each `up` comes before its `destroy`.
  const medians = await measureInterleaved(
    5,
    [subject, reference].flatMap((engine) =>
      ['up', 'destroy'].map((command) => () => timeMs(() => runPulumi(engine, command))),
    ),
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
