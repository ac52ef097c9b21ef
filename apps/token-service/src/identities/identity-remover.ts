import { CommunicationIdentityError, type FailureCode } from '@acs-kit/communication-identity'
import type { IdentityDependencies } from './identity-dependencies.ts'
import type { JournalEntry, StoredEntry } from './journal.ts'

/** `pending`: recorded in the journal for the reaper. */
export type Outcome = 'done' | 'pending'

export type IdentityRemover = ReturnType<typeof createIdentityRemover>

/** Revokes tokens and deletes identities: first records the promise in the journal, then takes steps that are safe to repeat. */
export function createIdentityRemover({ store, journal, communication, dropCache, log }: IdentityDependencies) {
  /**
   * Revokes the user's tokens or deletes the identity. Rejects with `store-unavailable` if the journal cannot be written. Leaves
   * later failures to the reaper.
   */
  async function start(kind: 'delete' | 'revoke', userKey: string): Promise<Outcome> {
    // The order matters: a creation that is missing from the journal has ended, so the store knows its identity.
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
      if (!(await journal.change(creation, { kind: 'delete' }))) return start(kind, userKey)
      isPending = true
    }
    if (!identity) {
      dropCache(userKey)
      return isPending ? 'pending' : 'done'
    }
    const { communicationUserId } = identity
    const entry = await journal.add({ kind, userKey, communicationUserId })
    dropCache(userKey)
    try {
      await finish(entry)
      if (kind === 'delete') for (const creation of entries.filter(isOwn)) await journal.remove(creation)
    } catch (error) {
      log.warn({ err: error, journalEntry: entry.id }, `could not finish the ${kind}, will retry`)
      isPending = true
    }
    // Another request may have cached a token in the meantime.
    dropCache(userKey)
    return isPending ? 'pending' : 'done'
  }

  /** Executes an entry and removes it from the journal. Safe to repeat. */
  async function finish(entry: JournalEntry): Promise<void> {
    const { kind, userKey, communicationUserId } = entry
    if (communicationUserId !== undefined) {
      if (kind === 'delete') {
        await store.remove(userKey, communicationUserId)
        const absence = await ignoreAbsence(communication.delete(communicationUserId))
        if (absence === 'identity-not-owned') {
          log.warn({ userKey, communicationUserId }, 'identity belongs to another resource: delete it there')
        }
      }
      if (kind === 'revoke') {
        await store.markRevoked(userKey, communicationUserId)
        await ignoreAbsence(communication.revokeTokens(communicationUserId))
        // Another instance may have cached a token in the meantime, which has been revoked too.
        await store.markRevoked(userKey, communicationUserId)
      }
    }
    await journal.remove(entry)
  }

  return { start, finish }
}

/** Ignores that an identity is deleted or belongs to another resource: this resource has no tokens of it. */
async function ignoreAbsence(work: Promise<void>): Promise<FailureCode | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    const code = error instanceof CommunicationIdentityError ? error.code : undefined
    if (code !== 'identity-unknown' && code !== 'identity-not-owned') throw error
    return code
  }
}
