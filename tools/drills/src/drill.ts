// The long form of the drills whose short one runs with the tests. Exits with 1 when one finds a violation.
import { inspect, parseArgs } from 'node:util'
import { dropProxies } from '@acs-kit/test-support/child-environment'
import { drillCrashes } from './crash/crash-drill.ts'
import { drillFuzz } from './fuzz/fuzz-drill.ts'
import { drillHostileClients } from './hostile/hostile-drill.ts'
import { drillSecrets } from './secrets/secrets-drill.ts'
import { exitOnSignals } from '@acs-kit/test-support/signals'
import { drillContractFuzz } from './token-service/contract-fuzz-drill.ts'
import { drillServiceCrashes } from './token-service/crash-drill.ts'
import { drillFirstLogins } from './token-service/first-login-drill.ts'
import { drillKeyRegeneration } from './token-service/key-drill.ts'
import { drillMemory } from './token-service/memory-drill.ts'
import { drillOutages } from './token-service/outage-drill.ts'
import { drillReconnects } from './token-service/reconnect-drill.ts'
import { drillStoreFaults } from './token-service/store-drill.ts'

interface Drill {
  /** What must not happen. */
  readonly violation: string
  /** Throws on a violation; returns what was seen. */
  readonly run: () => Promise<unknown>
}

exitOnSignals()
dropProxies()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: String(Date.now() % 2 ** 31) } },
})
const seed = Number(values.seed)

const drills: Readonly<Record<string, Drill>> = {
  'emulator-fuzz': {
    violation: 'a generated request gets an undocumented answer',
    run: async () => Object.fromEntries(await drillFuzz({ requests: 10_000, seed })),
  },
  'emulator-hostile-clients': {
    violation: 'odd, slow and large requests keep others from being served',
    run: () => drillHostileClients({ garbage: 1000, slow: 20, large: 50, crowd: 1000, seed }),
  },
  'emulator-crashes': {
    violation: 'kill -9 loses what was acknowledged',
    run: () => drillCrashes({ kills: 50, seed }),
  },
  'first-logins': {
    violation: '100 first logins at 3 instances give a person two identities, or leave an orphan',
    run: () => drillFirstLogins({ persons: 20 }),
  },
  'service-crashes': {
    violation: 'kill -9 loses or doubles a mapping, or leaves an identity that no entry explains',
    run: () => drillServiceCrashes({ kills: 200, seed }),
  },
  'store-faults': {
    violation: 'a lost operation of the store breaks a promise, or leaves an identity without a name',
    run: () => drillStoreFaults(),
  },
  outages: {
    violation: 'a user with a cached token is refused, another waits too long or for good',
    run: () => drillOutages({ seconds: 10 }),
  },
  reconnects: {
    violation: '2,000 users at once break Azure’s limits, or one is never served',
    run: () => drillReconnects({ users: 2000 }),
  },
  'sign-in-memory': {
    violation: 'large sign-in tokens and spellings of their header fill the memory of the service',
    run: () => drillMemory({ spellings: 50_000, tokens: 10_000 }),
  },
  'dead-key-in-use': {
    violation: 'a regenerated key fails a request, or its tokens are handed out after one was refused',
    run: () => drillKeyRegeneration({ asksForNew: true }),
  },
  'dead-key-unused': {
    violation: 'tokens of a regenerated key are handed out after the service’s next look at its keys',
    run: () => drillKeyRegeneration({ asksForNew: false }),
  },
  'service-fuzz': {
    violation: 'a request made from the OpenAPI document gets an answer that is not in it',
    run: () => drillContractFuzz({ requests: 10_000, seed }),
  },
  secrets: {
    violation: 'a key, signature or token is shown by a command, a log, an error or a command line',
    run: async () => {
      const { leaks, transcripts, refusals } = await drillSecrets()
      if (leaks.length > 0) throw new Error(leaks.join('\n'))
      return { transcripts, refusals }
    },
  },
}

const unknown = positionals.filter((name) => !Object.hasOwn(drills, name))
if (unknown.length > 0) {
  process.stderr.write(`There is no drill ${unknown.join(', ')}, but ${Object.keys(drills).join(', ')}.\n`)
  process.exit(2)
}
const chosen = positionals.length > 0 ? positionals : Object.keys(drills)
const width = Math.max(...chosen.map((name) => name.length))
process.stdout.write(`seed ${seed}\n`)
for (const name of chosen) {
  const { violation, run } = drills[name]!
  const start = performance.now()
  const outcome = await run().then(
    (seen) => ({ seen }),
    (error: unknown) => ({ error }),
  )
  const seconds = Math.round((performance.now() - start) / 1000)
  const verdict = 'error' in outcome ? 'VIOLATED' : 'never'
  process.stdout.write(`${name.padEnd(width)}  ${verdict.padEnd(8)}  ${String(seconds).padStart(4)} s  ${violation}\n`)
  if ('error' in outcome) process.exitCode = 1
  const details =
    'error' in outcome
      ? inspect(outcome.error)
      : Object.entries(outcome.seen ?? {})
          .map(([what, value]) => `${what}: ${value}`)
          .join(', ')
  process.stdout.write(details.replaceAll(/^/gm, ' '.repeat(width + 2)) + '\n')
}
