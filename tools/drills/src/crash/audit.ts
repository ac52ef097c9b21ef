import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import type { Ledger } from './ledger.ts'

const concurrentChecks = 16

/** Compares an emulator with the ledger. Throws with everything that the emulator has acknowledged and lost. */
export async function audit(emulator: EmulatorProcess, ledger: Ledger): Promise<void> {
  const existing = new Set(await emulator.identityIds())
  const losses = ledger.identities.flatMap(({ id, state }) => {
    if (state === 'live' && !existing.has(id)) return [`${id} was created, but does not exist`]
    if (state === 'deleted' && existing.has(id)) return [`${id} was deleted, but exists`]
    return []
  })
  const expectations = ledger.identities
    .flatMap((identity) => [...ledger.expectedStates(identity)].map(([token, state]) => ({ identity, token, state })))
    .values()
  const checkRemaining = async () => {
    for (const { identity, token, state: expected } of expectations) {
      if (expected === undefined) continue
      const state = await emulator.tokenState(token)
      if (state !== expected) losses.push(`a token of ${identity.id} is ${state}, expected ${expected}`)
    }
  }
  // All share one iterator, so that each token is checked once.
  await Promise.all(Array.from({ length: concurrentChecks }, checkRemaining))
  if (losses.length > 0) throw new Error(losses.join('\n'))
}
