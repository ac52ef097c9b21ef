// Runs the benchmarks. A goal that is not met is reported, and is not a failure.
import { writeFileSync } from 'node:fs'
import { dropProxies } from '@acs-kit/test-support/child-environment'
import { exitOnSignals } from '@acs-kit/test-support/signals'
import { Argument, Command } from 'commander'
import { benchmarkEventLatency } from './benchmarks/chat/event-latency.ts'
import { benchmarkManyConnections } from './benchmarks/chat/many-connections.ts'
import { benchmarkMessageMemory } from './benchmarks/chat/message-memory.ts'
import { benchmarkMessagesSent } from './benchmarks/chat/messages-sent.ts'
import { benchmarkEmulatorStart } from './benchmarks/emulator-start.ts'
import { benchmarkIdentityCreate } from './benchmarks/identity-create.ts'
import { benchmarkManyIdentities } from './benchmarks/many-identities.ts'
import { benchmarkExportMemory } from './benchmarks/mappings/export-memory.ts'
import { benchmarkTransferRate } from './benchmarks/mappings/transfer-rate.ts'
import { benchmarkArmRequests } from './benchmarks/provisioning/arm-requests.ts'
import { benchmarkArtifactSize } from './benchmarks/provisioning/artifact-size.ts'
import { benchmarkUpAndDestroy } from './benchmarks/provisioning/up-and-destroy.ts'
import { benchmarkBundleSize, benchmarkTokenFromMemory } from './benchmarks/token-client.ts'
import { benchmarkTokenIssue } from './benchmarks/token-issue.ts'
import { benchmarkCachedToken, benchmarkMetrics } from './benchmarks/token-service/cached-token.ts'
import { benchmarkCachedUserMemory } from './benchmarks/token-service/cached-user-memory.ts'
import { benchmarkKnownUser } from './benchmarks/token-service/known-user.ts'
import { benchmarkMissedToken } from './benchmarks/token-service/missed-token.ts'
import { benchmarkClientRenewals, benchmarkRenewals } from './benchmarks/token-service/renewals.ts'
import { benchmarkServiceStart } from './benchmarks/token-service/service-start.ts'
import { benchmarkTelemetry } from './benchmarks/token-service/telemetry.ts'
import { formatMeasurements, type Measurement } from './measurement.ts'

const groups: Readonly<Record<string, Readonly<Record<string, () => Promise<Measurement[]>>>>> = {
  emulator: {
    'identities created per second': benchmarkIdentityCreate,
    'tokens issued per second': benchmarkTokenIssue,
    'start in process': benchmarkEmulatorStart,
    'memory and look-up of 100,000 identities': benchmarkManyIdentities,
  },
  chat: {
    'messages sent per second': benchmarkMessagesSent,
    'latency of events': benchmarkEventLatency,
    'delivery to 1,000 connections, and their memory': benchmarkManyConnections,
    'memory for a message': benchmarkMessageMemory,
  },
  'token-service': {
    'processor time, rate and latency of cached tokens': benchmarkCachedToken,
    'processor time with metrics': benchmarkMetrics,
    'latency of new tokens': benchmarkMissedToken,
    'requests to ACS in a month': benchmarkRenewals,
    'look-up of a user among 100,000': benchmarkKnownUser,
    'memory for a cached user': benchmarkCachedUserMemory,
    'start of the process': benchmarkServiceStart,
    'processor time and start with traces and metrics': benchmarkTelemetry,
  },
  infra: {
    'pulumi up and destroy': benchmarkUpAndDestroy,
    'requests to the resource manager': benchmarkArmRequests,
    'size of the deployed package': benchmarkArtifactSize,
  },
  mappings: {
    'export and import next to a bare loop': benchmarkTransferRate,
    'memory of an export of 1,000,000 rows': benchmarkExportMemory,
  },
  'token-client': {
    'tokens from memory': benchmarkTokenFromMemory,
    'requests to the service in a month': benchmarkClientRenewals,
    'size in a page': benchmarkBundleSize,
  },
}

const names = Object.keys(groups)
const list = Object.entries(groups).flatMap(([group, benchmarks]) =>
  Object.keys(benchmarks).map((name) => `  ${group.padEnd(13)}  ${name}\n`),
)
const program = new Command('npm run bench --')
  .description('measure speed and memory, each next to a reference in the same run')
  .addArgument(new Argument('[group...]', 'benchmarks to run').choices(names).default(names, 'all'))
  .option('--json <file>', 'also write the measurements to a file')
  .showHelpAfterError()
  .addHelpText('after', `\nBenchmarks by group:\n${list.join('')}`)
  .parse()

exitOnSignals()
dropProxies()
const { json } = program.opts<{ json?: string }>()
const chosen = program.processedArgs[0] as readonly string[]
const measurements: Measurement[] = []
for (const group of names.filter((name) => chosen.includes(name))) {
  for (const [name, benchmark] of Object.entries(groups[group]!)) {
    process.stderr.write(`bench: ${group}: ${name}\n`)
    measurements.push(...(await benchmark()))
  }
}
process.stdout.write(formatMeasurements(measurements))
if (json !== undefined) writeFileSync(json, `${JSON.stringify(measurements, undefined, 2)}\n`)
