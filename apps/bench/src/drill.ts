// The long form of the drills whose short one runs with the tests. Exits with 1 when the emulator fails one.
import { inspect, parseArgs } from 'node:util'
import { drillCrashes } from './crash/crash-drill.ts'
import { drillFuzz } from './fuzz/fuzz-drill.ts'
import { drillHostileClients } from './hostile/hostile-drill.ts'
import { drillSecrets } from './secrets/secrets-drill.ts'
import { exitOnSignals } from './signals.ts'

exitOnSignals()
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    requests: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '50' },
  },
})
const seed = Number(values.seed)
const drills: Record<string, () => Promise<unknown>> = {
  fuzz: () => drillFuzz({ requests: Number(values.requests), seed }),
  'hostile clients': () => drillHostileClients({ garbage: 1000, slow: 20, large: 50, crowd: 1000, seed }),
  crashes: () => drillCrashes({ kills: Number(values.kills), seed }),
  secrets: async () => {
    const { leaks, transcripts, refusals } = await drillSecrets()
    if (leaks.length > 0) throw new Error(leaks.join('\n'))
    return { transcripts, refusals }
  },
}
process.stdout.write(`seed ${seed}\n`)
for (const [name, drill] of Object.entries(drills)) {
  try {
    const outcome = await drill()
    const report = outcome instanceof Map ? Object.fromEntries(outcome) : outcome
    process.stdout.write(`${name}: passed ${report === undefined ? '' : JSON.stringify(report)}\n`)
  } catch (error) {
    process.stdout.write(`${name}: FAILED ${inspect(error)}\n`)
    process.exitCode = 1
  }
}
