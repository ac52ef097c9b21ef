import { setTimeout as sleep } from 'node:timers/promises'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { Random } from '@acs-kit/test-support/random'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { killRepeatedly } from './kill-repeatedly.ts'
import { Ledger, slots } from './ledger.ts'
import { regenerateKey, regenerateKeys, runWorkload } from './workload.ts'

const clients = 8
const maxKeyAgeMs = 600
const concurrentChecks = 16

/**
 * Kills an emulator that keeps its state in a folder: under load at random moments, and sometimes during its start. Throws if
 * anything that the emulator has acknowledged is lost after a restart. Returns the number of kills and of what they could have lost.
 */
export async function runCrashDrill({ kills, seed }: { kills: number; seed: number }) {
  using folder = new TemporaryFolder()
  const random = new Random(seed)
  let ledger: Ledger | undefined
  await killRepeatedly({
    emulator: { keyFolder: folder.join('keys'), dataFolder: folder.join('data') },
    kills,
    random,
    async audit(emulator) {
      ledger ??= new Ledger({ primary: emulator.accessKey!, secondary: await emulator.regenerateKey('secondary') })
      await auditAndSettleKeys(emulator, ledger)
    },
    load: (emulator, onResponse) => runLoad(emulator, ledger!, random, onResponse),
  })
  return toReport(ledger!, kills)
}

/** Regenerates keys whose last regeneration was interrupted, after the audit. */
async function auditAndSettleKeys(emulator: EmulatorProcess, ledger: Ledger): Promise<void> {
  await audit(emulator, ledger)
  for (const slot of slots) {
    if (ledger.keys[slot].isUnknown) await regenerateKey(emulator, ledger, slot)
  }
}

/** Compares an emulator with the ledger. Throws with everything that the emulator has acknowledged and lost. */
async function audit(emulator: EmulatorProcess, ledger: Ledger): Promise<void> {
  const existing = new Set(await emulator.identityIds())
  const losses = ledger.identities.flatMap(({ id, state }) => {
    if (state === 'live' && !existing.has(id)) return [`${id} was created, but does not exist`]
    if (state === 'deleted' && existing.has(id)) return [`${id} was deleted, but exists`]
    return []
  })
  const assigned = new Set(await listAssigned(emulator))
  for (const { objectId, state } of ledger.assignments) {
    if (state === 'assigned' && !assigned.has(objectId)) losses.push(`${objectId} was assigned, but has no assignment`)
    if (state === 'removed' && assigned.has(objectId))
      losses.push(`${objectId} had its assignment deleted, but still has it`)
  }
  const expectations = [
    ...ledger.identities.flatMap((identity) =>
      [...ledger.expectedStates(identity)].map(([token, state]) => ({ owner: identity.id, token, state })),
    ),
    ...ledger.assignments.flatMap(({ objectId, tokens }) =>
      tokens.map(({ text, state }) => ({
        owner: objectId,
        token: text,
        state: state === 'unknown' ? undefined : state,
      })),
    ),
  ].values()
  const checkRemaining = async () => {
    for (const { owner, token, state: expected } of expectations) {
      if (expected === undefined) continue
      const state = await emulator.tokenState(token)
      if (state !== expected) losses.push(`a token of ${owner} is ${state}, expected ${expected}`)
    }
  }
  // All share one iterator, so that each token is checked once.
  await Promise.all(Array.from({ length: concurrentChecks }, checkRemaining))
  if (losses.length > 0) throw new Error(losses.join('\n'))
}

async function listAssigned(emulator: EmulatorProcess): Promise<string[]> {
  const assignments = await emulator.administer<{ objectId: string }[]>('GET', 'assignments')
  return assignments.map(({ objectId }) => objectId)
}

async function runLoad(
  emulator: EmulatorProcess,
  ledger: Ledger,
  random: Random,
  onResponse: () => void,
): Promise<void> {
  await Promise.all([
    ...Array.from({ length: clients }, () =>
      runWorkload(emulator, ledger, new Random(random.below(2 ** 31)), onResponse),
    ),
    regenerateKeys(emulator, ledger, () => sleep(random.below(maxKeyAgeMs))),
  ])
}

function toReport({ identities, assignments, keys }: Ledger, kills: number) {
  const tokens = identities.flatMap((identity) => identity.tokens)
  return {
    kills,
    identities: identities.length,
    deletions: identities.filter(({ state }) => state === 'deleted').length,
    tokens: tokens.length,
    exchanges: assignments.flatMap((assignment) => assignment.tokens).length,
    revocations: tokens.filter(({ state }) => state === 'revoked').length,
    regenerations: keys.primary.generation + keys.secondary.generation,
  }
}
