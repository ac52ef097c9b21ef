import { runChatCrashDrill } from './chat/crash-drill.ts'
import { runChatFuzzDrill } from './chat/fuzz-drill.ts'
import { runChatHostileDrill } from './chat/hostile-drill.ts'
import { runCrashDrill } from './crash/crash-drill.ts'
import { runFuzzDrill } from './fuzz/fuzz-drill.ts'
import { runHostileDrill } from './hostile/hostile-drill.ts'
import { runMappingsDrill } from './mappings/mappings-drill.ts'
import { runSecretsDrill } from './secrets/secrets-drill.ts'
import { runContractFuzzDrill } from './token-service/contract-fuzz-drill.ts'
import { runServiceCrashDrill } from './token-service/crash-drill.ts'
import { runFirstLoginDrill } from './token-service/first-login-drill.ts'
import { runKeyDrill } from './token-service/key-drill.ts'
import { runMemoryDrill } from './token-service/memory-drill.ts'
import { runOutageDrill } from './token-service/outage-drill.ts'
import { runReconnectDrill } from './token-service/reconnect-drill.ts'
import { runStoreDrill } from './token-service/store-drill.ts'

export interface Drill {
  /** Event that the drill provokes and that must never happen. */
  readonly violation: string
  /** Throws on a violation. Returns a report. */
  readonly run: (seed: number) => Promise<object | void>
}

/** All drills in their long form, by the name on the command line. */
export const drills: Readonly<Record<string, Drill>> = {
  'emulator-fuzz': {
    violation: 'the emulator sends an undocumented response to a generated request',
    run: async (seed) => Object.fromEntries(await runFuzzDrill({ requests: 10_000, seed })),
  },
  'emulator-hostile-clients': {
    violation: 'malformed, slow or large requests block other clients',
    run: (seed) => runHostileDrill({ garbage: 1000, slow: 20, large: 50, connections: 1000, seed }),
  },
  'emulator-crashes': {
    violation: 'kill -9 loses a change that the emulator acknowledged',
    run: (seed) => runCrashDrill({ kills: 50, seed }),
  },
  'chat-fuzz': {
    violation: 'chat sends an undocumented response to a generated request, or fails at a generated frame',
    run: async (seed) => {
      const { responses, frames } = await runChatFuzzDrill({ requests: 10_000, seed })
      return { ...Object.fromEntries(responses), frames }
    },
  },
  'chat-hostile-clients': {
    violation: 'clients that do not read or respond delay events of others, fill the memory or stay connected',
    run: () => runChatHostileDrill({ clients: 20, edits: 3000 }),
  },
  'chat-crashes': {
    violation: 'kill -9 loses, repeats or half executes a change of chat that the emulator acknowledged',
    run: (seed) => runChatCrashDrill({ kills: 50, seed }),
  },
  'first-logins': {
    violation: '100 first logins at 3 instances create two identities for a user, or leave an orphan',
    run: () => runFirstLoginDrill({ users: 20 }),
  },
  'service-crashes': {
    violation: 'kill -9 loses or duplicates a mapping, or leaves an identity without a journal entry',
    run: (seed) => runServiceCrashDrill({ kills: 200, seed }),
  },
  'store-faults': {
    violation: 'a failed store operation breaks a promise, or leaves an identity without a mapping',
    run: () => runStoreDrill(),
  },
  outages: {
    violation: 'an outage rejects a user with a cached token, or delays or locks out any other',
    run: () => runOutageDrill({ seconds: 10 }),
  },
  reconnects: {
    violation: "2,000 users who reconnect at once exceed ACS's limits, or one is never served",
    run: () => runReconnectDrill({ users: 2000 }),
  },
  'sign-in-memory': {
    violation: 'large sign-in tokens and spellings of their header fill the memory of the service',
    run: () => runMemoryDrill({ spellings: 50_000, tokens: 10_000 }),
  },
  'dead-key-in-use': {
    violation: 'a regenerated key fails a request, or its tokens are returned after ACS rejected one',
    run: () => runKeyDrill({ requestsNew: true }),
  },
  'dead-key-unused': {
    violation: "tokens of a regenerated key are returned after the service's next health check",
    run: () => runKeyDrill({ requestsNew: false }),
  },
  'service-fuzz': {
    violation: 'the service sends an undocumented response to a request generated from its OpenAPI document',
    run: (seed) => runContractFuzzDrill({ requests: 10_000, seed }),
  },
  mappings: {
    violation: 'kill -9 of an export or import of 100,000 users loses, duplicates or changes a row',
    run: (seed) => runMappingsDrill({ users: 100_000, kills: 5, seed }),
  },
  secrets: {
    violation: 'output, a log, an error or a command line shows a key, a signature or a token',
    run: async () => {
      const { leaks, transcripts, rejections } = await runSecretsDrill()
      if (leaks.length > 0) throw new Error(leaks.join('\n'))
      return { transcripts, rejections }
    },
  },
}
