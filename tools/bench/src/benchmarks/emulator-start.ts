import { createFigure, type Figure } from '../figure.ts'
import { measureByTurns } from '../rounds.ts'
import { runScript } from '@acs-kit/test-support/run-script'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'

/** Starting an emulator in process with its keys at hand, beside an HTTPS server of Node that does nothing. */
export async function benchmarkEmulatorStart(): Promise<Figure[]> {
  using keys = new TemporaryFolder()
  const measure = async (what: string) =>
    Number(await runScript(import.meta.resolve('./start-time.ts'), [what, keys.path]))
  await measure('emulator')
  const { subject, reference } = await measureByTurns(
    11,
    () => measure('emulator'),
    () => measure('https'),
  )
  return [
    createFigure(
      {
        name: 'emulator started in process',
        value: subject,
        unit: 'ms',
        reference: { name: 'an empty HTTPS server of Node', value: reference },
      },
      { of: 'value', is: 'below', limit: 100 },
    ),
  ]
}
