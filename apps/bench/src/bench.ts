// Measures every figure beside a reference, in the same run. A goal that is not met is written down, it is no failure.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { benchmarkEmulatorStart } from './benchmarks/emulator-start.ts'
import { benchmarkIdentityCreate } from './benchmarks/identity-create.ts'
import { benchmarkManyIdentities } from './benchmarks/many-identities.ts'
import { benchmarkTokenIssue } from './benchmarks/token-issue.ts'
import { formatFigures, type Figure } from './figure.ts'
import { exitOnSignals } from './signals.ts'

exitOnSignals()
const { json } = parseArgs({ options: { json: { type: 'string' } } }).values
const figures: Figure[] = []
for (const benchmark of [
  benchmarkIdentityCreate,
  benchmarkTokenIssue,
  benchmarkEmulatorStart,
  benchmarkManyIdentities,
]) {
  process.stderr.write(`bench: ${benchmark.name}\n`)
  figures.push(...(await benchmark()))
}
process.stdout.write(formatFigures(figures))
if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, undefined, 2)}\n`)
