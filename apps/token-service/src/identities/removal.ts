import { CommunicationIdentityError } from '@acs-kit/communication-identity'
import type { Communication } from '../communication/communication.ts'
import { ProblemError } from '../problem-error.ts'
import type { IdentityStore } from './identity-store.ts'
import type { Journal, JournalEntry } from './journal.ts'

/** Whether the work is done, or recorded for the reaper because Azure Communication Services can't do it now. */
export type Outcome = 'done' | 'pending'

/** Revokes and erases: each is written down first, then done in steps that may be repeated. */
export class Removal {
  readonly #store: IdentityStore
  readonly #journal: Journal
  readonly #communication: Communication

  constructor(store: IdentityStore, journal: Journal, communication: Communication) {
    this.#store = store
    this.#journal = journal
    this.#communication = communication
  }

  /** Of the user's identity, if there is one. `dropCache` is called once it is certain that the work will be done. */
  async start(kind: 'delete' | 'revoke', userKey: string, dropCache: () => void): Promise<Outcome> {
    const identity = await this.#store.find(userKey)
    if (!identity) {
      dropCache()
      // The mapping goes first: what is left of the deletion is in the journal.
      return (await this.#journal.has(kind, userKey)) ? 'pending' : 'done'
    }
    const { communicationUserId } = identity
    const entry = await this.#journal.add({ kind, userKey, communicationUserId })
    dropCache()
    try {
      await this.finish(entry)
      return 'done'
    } catch (error) {
      if (isCommunicationFailure(error)) return 'pending'
      throw error
    } finally {
      // What was begun meanwhile may hold a token from before.
      dropCache()
    }
  }

  /** Does what the entry says, and removes it from the journal. Safe to repeat. */
  async finish(entry: JournalEntry): Promise<void> {
    const { kind, userKey, communicationUserId } = entry
    if (communicationUserId !== undefined) {
      if (kind === 'delete') {
        await this.#store.remove(userKey, communicationUserId)
        await ignoringAbsence(this.#communication.delete(communicationUserId))
      }
      if (kind === 'revoke') {
        await this.#store.markRevoked(userKey, communicationUserId)
        await ignoringAbsence(this.#communication.revokeTokens(communicationUserId))
        // Between the two, another instance may have issued and cached a token, which is revoked now.
        await this.#store.markRevoked(userKey, communicationUserId)
      }
    }
    await this.#journal.remove(entry)
  }
}

function isCommunicationFailure(error: unknown): boolean {
  if (error instanceof ProblemError) return error.code.startsWith('communication-')
  return error instanceof CommunicationIdentityError
}

/** An identity that is gone, or another resource's, has no tokens here and can't be deleted from here. */
async function ignoringAbsence(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    const code = error instanceof CommunicationIdentityError ? error.code : undefined
    if (code !== 'identity-unknown' && code !== 'identity-not-owned') throw error
  }
}
