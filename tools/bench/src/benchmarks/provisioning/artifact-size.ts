import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { buildArtifact } from 'fastify-communication-tokens/build'
import { createMeasurement, type Measurement } from '../../measurement.ts'

/** Size of the package that `pulumi up` uploads, next to its unpacked size. */
export async function benchmarkArtifactSize(): Promise<Measurement[]> {
  using folder = new TemporaryFolder()
  const artifact = folder.join('artifact')
  await buildArtifact(artifact)
  const files = readdirSync(artifact, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const unpacked = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
  return [
    createMeasurement({
      name: "the service's package, zipped",
      value: statSync(`${artifact}.zip`).size / 2 ** 20,
      unit: 'MiB',
      reference: { name: 'the same, unpacked', value: unpacked / 2 ** 20 },
      goal: { of: 'value', is: 'below', limit: 1.2 },
    }),
  ]
}
