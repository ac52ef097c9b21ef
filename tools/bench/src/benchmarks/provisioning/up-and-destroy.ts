import { startEmulator } from '@acs-kit/communication-emulator'
import { LocalEngine } from '@acs-kit/local-stack/pulumi/local-engine'
import { findPulumi } from '@acs-kit/infra/pulumi-cli'
import { startStandInProvider } from '@acs-kit/local-stack/stand-in-provider/stand-in-provider'
import { createFigure, type Figure } from '../../figure.ts'
import { measureAllByTurns } from '../../rounds.ts'
import { startNoOpProvider } from './no-op-provider.ts'

/** The default stack, made and destroyed on the emulated resource manager, beside the same engine with a provider that does nothing. */
export async function benchmarkUpAndDestroy(): Promise<Figure[]> {
  const cli = await findPulumi()
  if (!cli) throw new Error('there is no Pulumi CLI: pnpm pulumi:cli')
  await using emulator = await startEmulator()
  const azure = await startStandInProvider(emulator.resourceManager.servicePrincipal)
  await using subject = await LocalEngine.start(cli, azure)
  await using reference = await LocalEngine.start(cli, await startNoOpProvider())
  for (const engine of [subject, reference]) {
    const settings = [
      'azure-native:location=westeurope',
      'issuers[0].issuer=https://sign-in.example',
      'issuers[0].audience=api://acs-kit',
    ]
    const plain = settings.flatMap((setting) => ['--plaintext', setting])
    await succeed(engine, 'config', 'set-all', '--path', ...plain)
  }
  // By turns, and each `up` before its `destroy`.
  const medians = await measureAllByTurns(
    5,
    [subject, reference].flatMap((engine) =>
      ['up', 'destroy'].map((command) => () => succeed(engine, command, '--yes', '--skip-preview')),
    ),
  )
  const [up, destroy, bareUp, bareDestroy] = medians.map((milliseconds) => milliseconds / 1000)
  const name = 'the engine with a provider that does nothing'
  const goal = { of: 'ratio', is: 'below', limit: 1.5 } as const
  return [
    createFigure({ name: 'pulumi up', value: up!, unit: 's', reference: { name, value: bareUp! } }, goal),
    createFigure(
      { name: 'pulumi destroy', value: destroy!, unit: 's', reference: { name, value: bareDestroy! } },
      goal,
    ),
  ]
}

/** In milliseconds. */
async function succeed(engine: LocalEngine, ...args: string[]): Promise<number> {
  const start = performance.now()
  const { code, stdout, stderr } = await engine.run(...args)
  if (code !== 0) throw new Error(`pulumi ${args[0]} failed: ${stdout}${stderr}`)
  return performance.now() - start
}
