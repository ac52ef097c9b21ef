import { fileURLToPath } from 'node:url'
import { startEmulator } from '@acs-kit/communication-emulator'
import { resourceId } from '@acs-kit/test-support/mapping-rows'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { stackEnvironment } from '@acs-kit/test-support/stack-environment'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { createMeasurement, type Measurement } from '../../measurement.ts'
import { startPageServer } from './page-server.ts'

const few = 1000
const many = 1_000_000
const script = fileURLToPath(import.meta.resolve('@acs-kit/infra/mappings'))
const printPeak = 'process.on("exit", () => process.stderr.write("peak " + process.resourceUsage().maxRSS))'

/** Peak resident memory of an export, with TLS and a sign-in. */
export async function benchmarkExportMemory(): Promise<Measurement[]> {
  using folder = new TemporaryFolder()
  await using emulator = await startEmulator()
  const measure = async (rows: number) => {
    await using server = await startPageServer(emulator.tlsFiles, rows)
    const outputs = { mappingTableEndpoint: `https://127.0.0.1:${server.port}`, mappingTable: 'mappings', resourceId }
    await using command = ServerProcess.launch({
      script,
      args: ['export', 'dev', folder.join(`${rows}.ndjson`), '--format', 'ndjson'],
      env: stackEnvironment(folder.path, emulator, outputs),
      preloads: [`data:text/javascript,${encodeURIComponent(printPeak)}`],
    })
    const code = await command.exit()
    if (code !== 0 || !command.stdout.startsWith(`exported ${rows} rows`)) throw new Error(command.stderr)
    return Number(/peak (\d+)/.exec(command.stderr)![1]) * 1024e-6
  }
  return [
    createMeasurement({
      name: `memory of an export of ${many} rows`,
      value: await measure(many),
      unit: 'MB',
      reference: { name: `of ${few}`, value: await measure(few) },
      goal: { of: 'value', is: 'below', limit: 150 },
    }),
  ]
}
