// Measures every figure beside a reference, in the same run. A goal that is not met is written down, it is no failure.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { dropProxies } from '@acs-kit/test-support/child-environment'
import { benchmarkEmulatorStart } from './benchmarks/emulator-start.ts'
import { benchmarkIdentityCreate } from './benchmarks/identity-create.ts'
import { benchmarkBundleSize, benchmarkTokenFromMemory } from './benchmarks/token-client.ts'
import { benchmarkManyIdentities } from './benchmarks/many-identities.ts'
import { benchmarkArtifactSize } from './benchmarks/provisioning/artifact-size.ts'
import { benchmarkUpAndDestroy } from './benchmarks/provisioning/up-and-destroy.ts'
import { benchmarkTokenIssue } from './benchmarks/token-issue.ts'
import { benchmarkCachedToken } from './benchmarks/token-service/cached-token.ts'
import { benchmarkCachedUserMemory } from './benchmarks/token-service/cached-user-memory.ts'
import { benchmarkKnownUser } from './benchmarks/token-service/known-user.ts'
import { benchmarkLayers } from './benchmarks/token-service/layers.ts'
import { benchmarkMissedToken } from './benchmarks/token-service/missed-token.ts'
import { benchmarkServiceStart } from './benchmarks/token-service/service-start.ts'
import { benchmarkClientLife, benchmarkTokenLife } from './benchmarks/token-service/token-life.ts'
import { formatFigures, type Figure } from './figure.ts'
import { exitOnSignals } from '@acs-kit/test-support/signals'

const benchmarks = {
  emulator: [benchmarkIdentityCreate, benchmarkTokenIssue, benchmarkEmulatorStart, benchmarkManyIdentities],
  'token-service': [
    benchmarkCachedToken,
    benchmarkLayers,
    benchmarkMissedToken,
    benchmarkTokenLife,
    benchmarkKnownUser,
    benchmarkCachedUserMemory,
    benchmarkServiceStart,
  ],
  infra: [benchmarkUpAndDestroy, benchmarkArtifactSize],
  'token-client': [benchmarkTokenFromMemory, benchmarkClientLife, benchmarkBundleSize],
}

exitOnSignals()
dropProxies()
const { values, positionals } = parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true })
const unknown = positionals.find((name) => !Object.hasOwn(benchmarks, name))
if (unknown !== undefined)
  throw new Error(`there are no benchmarks of ${unknown}, only of ${Object.keys(benchmarks).join(', ')}`)
const figures: Figure[] = []
for (const [name, ofName] of Object.entries(benchmarks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  for (const benchmark of ofName) {
    process.stderr.write(`bench: ${benchmark.name}\n`)
    figures.push(...(await benchmark()))
  }
}
process.stdout.write(formatFigures(figures))
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, undefined, 2)}\n`)
