import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createFigure, type Figure } from '../../figure.ts'
import { runScript } from '@acs-kit/test-support/run-script'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'

/** What an `up` uploads, beside what it is unpacked. */
export async function benchmarkArtifactSize(): Promise<Figure[]> {
  using folder = new TemporaryFolder()
  const artifact = join(folder.path, 'artifact')
  await runScript(import.meta.resolve('@acs-kit/token-service/build'), [artifact])
  const files = readdirSync(artifact, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const unpacked = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
  return [
    createFigure(
      {
        name: 'the service’s package, zipped',
        value: statSync(`${artifact}.zip`).size / 2 ** 20,
        unit: 'MiB',
        reference: { name: 'the same, unpacked', value: unpacked / 2 ** 20 },
      },
      { of: 'value', is: 'below', limit: 2 },
    ),
  ]
}
