import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import type { Ledger } from './ledger.ts'

const concurrentChecks = 16

/** Compares an emulator with the ledger. Throws with everything that was acknowledged and is not so. */
export async function audit(emulator: EmulatorProcess, ledger: Ledger): Promise<void> {
  const present = new Set(await emulator.identityIds())
  const losses = ledger.identities.flatMap(({ id, state }) => {
    if (state === 'live' && !present.has(id)) return [`${id} was created, and is gone`]
    if (state === 'deleted' && present.has(id)) return [`${id} was deleted, and is there`]
    return []
  })
  const expectations = ledger.identities
    .flatMap((identity) => [...ledger.expectedStates(identity)].map(([token, state]) => ({ identity, token, state })))
    .values()
  const checkRemaining = async () => {
    for (const { identity, token, state: expected } of expectations) {
      if (expected === undefined) continue
      const state = await emulator.tokenState(token)
      if (state !== expected) losses.push(`a token of ${identity.id} is ${state}, and should be ${expected}`)
    }
  }
  // All workers share one iterator, so that each token is checked once.
  await Promise.all(Array.from({ length: concurrentChecks }, checkRemaining))
  if (losses.length > 0) throw new Error(losses.join('\n'))
}
