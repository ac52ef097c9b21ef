import { startEmulator, type Emulator } from '@acs-kit/communication-emulator'
import { startEmulatedEngine } from '@acs-kit/local-stack/pulumi/emulated-engine'
import { createMeasurement, formatTable, type Measurement } from '../../measurement.ts'
import { requireCli, runPulumi } from './run-pulumi.ts'

const commands = ['first up', 'up without changes', 'refresh', 'destroy']

/** Requests that the commands on the default stack send to the resource manager. Prints them by method and type. */
export async function benchmarkArmRequests(): Promise<Measurement[]> {
  const cli = await requireCli()
  await using emulator = await startEmulator()
  await using engine = await startEmulatedEngine({ cli, emulator })
  const counts: Map<string, number>[] = []
  let resources = 0
  for (const name of commands) {
    emulator.requests.clear()
    await runPulumi(engine, /up|refresh|destroy/.exec(name)![0])
    counts.push(countRequests(emulator))
    resources = Math.max(resources, emulator.resourceManager.resources().length)
  }
  const operations = [...new Set(counts.flatMap((count) => [...count.keys()]))].toSorted()
  const rows = operations.map((operation) => [operation, ...counts.map((count) => String(count.get(operation) ?? ''))])
  process.stdout.write(`${formatTable([['request', ...commands], ...rows])}\n`)
  return counts.map((count, index) =>
    createMeasurement({
      name: `requests to the resource manager: ${commands[index]!}`,
      value: [...count.values()].reduce((sum, one) => sum + one, 0),
      unit: 'requests',
      reference: { name: 'resources', value: resources },
    }),
  )
}

/** Counts by method and type, without polls, whose number depends on timing. */
function countRequests({ requests }: Emulator): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { method, path, operation } of requests.list()) {
    const type = toType(path)
    if (!operation?.startsWith('arm') || /operation(?:Statuses|Results)$/.test(type)) continue
    const key = `${method} ${type}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

/** `…/providers/Microsoft.Web/sites/name/config/web` is `sites/config`; an action such as `listKeys` is kept. */
function toType(path: string): string {
  const last = path.split('/providers/').slice(1).at(-1)
  if (last === undefined) return 'resourceGroups'
  return last
    .split('/')
    .slice(1)
    .filter((_, index) => index % 2 === 0)
    .join('/')
}
