import { CommunicationIdentityError, type FailureCode } from '@acs-kit/communication-identity'
import type { Communication } from '../communication/communication.ts'
import type { IdentityStore } from './identity-store.ts'
import type { Journal, JournalEntry, StoredEntry } from './journal.ts'

/** Whether the work is done, or recorded for the reaper because it cannot be done now. */
export type Outcome = 'done' | 'pending'

export interface RemovalOptions {
  readonly store: IdentityStore
  readonly journal: Journal
  readonly communication: Communication
  readonly log: { warn(fields: object, message: string): void }
}

/** Revokes tokens and deletes identities: writes each to the journal first, then takes steps that can be repeated. */
export class Removal {
  readonly #options: RemovalOptions

  constructor(options: RemovalOptions) {
    this.#options = options
  }

  /**
   * Revokes the user's tokens or deletes the identity. Rejects with `store-unavailable` if the journal cannot be written; after that,
   * calls `dropCache` and leaves failures to the reaper.
   */
  async start(kind: 'delete' | 'revoke', userKey: string, dropCache: () => void): Promise<Outcome> {
    const { store, journal, log } = this.#options
    // In this order: a creation that is missing from the journal has ended, and the store knows its identity.
    const entries = await Array.fromAsync(journal.list(userKey))
    const identity = await store.find(userKey)
    const isOwn = ({ id }: StoredEntry) => id === identity?.intentId
    const others = entries.filter((entry) => !isOwn(entry))
    let isPending = others.some(
      (entry) =>
        (entry.kind === 'delete' || entry.kind === 'revoke') &&
        (entry.communicationUserId === undefined || entry.communicationUserId !== identity?.communicationUserId),
    )
    for (const creation of others) {
      if (kind !== 'delete' || creation.kind !== 'create') continue
      if (!(await journal.change(creation, { kind: 'delete' }))) return this.start(kind, userKey, dropCache)
      isPending = true
    }
    if (!identity) {
      dropCache()
      return isPending ? 'pending' : 'done'
    }
    const { communicationUserId } = identity
    const entry = await journal.add({ kind, userKey, communicationUserId })
    dropCache()
    try {
      await this.finish(entry)
      if (kind === 'delete') for (const creation of entries.filter(isOwn)) await journal.remove(creation)
    } catch (error) {
      log.warn({ err: error, journalEntry: entry.id }, `could not finish the ${kind}, will retry`)
      isPending = true
    }
    // Another request may have cached a token in the meantime.
    dropCache()
    return isPending ? 'pending' : 'done'
  }

  /** Carries out an entry and removes it from the journal. Safe to repeat. */
  async finish(entry: JournalEntry): Promise<void> {
    const { store, journal, communication, log } = this.#options
    const { kind, userKey, communicationUserId } = entry
    if (communicationUserId !== undefined) {
      if (kind === 'delete') {
        await store.remove(userKey, communicationUserId)
        const absence = await ignoringAbsence(communication.delete(communicationUserId))
        if (absence === 'identity-not-owned') {
          log.warn({ userKey, communicationUserId }, "not deleted, another resource's identity: delete it there")
        }
      }
      if (kind === 'revoke') {
        await store.markRevoked(userKey, communicationUserId)
        await ignoringAbsence(communication.revokeTokens(communicationUserId))
        // Between the two, another instance may have issued and cached a token, which is revoked now.
        await store.markRevoked(userKey, communicationUserId)
      }
    }
    await journal.remove(entry)
  }
}

/** An identity that is gone, or another resource's, has no tokens here and can't be deleted from here. */
async function ignoringAbsence(work: Promise<void>): Promise<FailureCode | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    const code = error instanceof CommunicationIdentityError ? error.code : undefined
    if (code !== 'identity-unknown' && code !== 'identity-not-owned') throw error
    return code
  }
}
