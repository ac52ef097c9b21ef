import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { identityIds } from '@acs-kit/local-stack/identity-ids'
import type { Ledger } from './ledger.ts'

const questionsAtOnce = 16

/** Compares an emulator with the ledger. Throws with everything that was acknowledged and is not so. */
export async function audit(emulator: EmulatorProcess, ledger: Ledger): Promise<void> {
  const present = new Set(await identityIds(emulator))
  const losses = ledger.identities.flatMap(({ id, state }) => {
    if (state === 'live' && !present.has(id)) return [`${id} was created, and is gone`]
    if (state === 'deleted' && present.has(id)) return [`${id} was deleted, and is there`]
    return []
  })
  const questions = ledger.identities.flatMap((identity) => [...ledger.expectedStates(identity)]).values()
  const ask = async () => {
    for (const [token, expected] of questions) {
      if (expected === undefined) continue
      const { text } = await emulator.client.post('/_emulator/introspect', { token })
      const { state, communicationUserId } = JSON.parse(text) as { state: string; communicationUserId?: string }
      if (state !== expected) losses.push(`a token of ${communicationUserId} is ${state}, and should be ${expected}`)
    }
  }
  // They share one iterator, so that each question is asked once.
  await Promise.all(Array.from({ length: questionsAtOnce }, ask))
  if (losses.length > 0) throw new Error(losses.join('\n'))
}
