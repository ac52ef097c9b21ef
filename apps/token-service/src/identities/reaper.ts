import { findInvalidColumn, journalColumns } from '@acs-kit/service-settings'
import type { FirstLogin } from './first-login.ts'
import type { IdentityDependencies } from './identity-dependencies.ts'
import type { IdentityRemover } from './identity-remover.ts'
import type { JournalEntry, StoredEntry } from './journal.ts'

const lostRetentionMs = 30 * 24 * 60 * 60_000
/** Pause between runs. Shorter than the grace period, so that an instance withdraws its own entries before others act on them. */
export const reaperPauseMs = 10_000

export interface ReaperOptions extends IdentityDependencies {
  readonly remover: IdentityRemover
  readonly firstLogin: FirstLogin
  readonly now: () => number
  /** Grace period, in which an entry is left to the instance that wrote it. */
  readonly graceMs: number
}

export type Reaper = ReturnType<typeof createReaper>

/** Finishes journal entries that a crash or an outage left behind. Each instance runs one. */
export function createReaper(options: ReaperOptions) {
  const { store, journal, remover, firstLogin, dropCache, now, graceMs, log } = options
  /** Whether the store failed during the last run. */
  let isInterrupted = false
  /** Journal entries at the last run, by kind. */
  const counts: Record<JournalEntry['kind'], number> = { create: 0, delete: 0, revoke: 0, lost: 0 }

  async function run(): Promise<void> {
    const wasInterrupted = isInterrupted
    isInterrupted = true
    await journal.withdraw()
    await firstLogin
      .reconcile()
      .catch((error: unknown) => log.warn({ err: error }, 'could not settle first logins, will retry'))
    const entries = await Array.fromAsync(journal.list())
    isInterrupted = false
    for (const kind of ['create', 'delete', 'revoke', 'lost'] as const) {
      counts[kind] = entries.filter((entry) => entry.kind === kind).length
    }
    // After an outage of the store, the other instances withdraw and settle their own entries first.
    if (wasInterrupted) return
    for (const entry of entries) {
      const column = findInvalidColumn(entry, journalColumns)
      if (column !== undefined) {
        log.warn({ journalEntry: entry.id, column }, 'skipped an invalid journal entry: correct or delete its row')
        continue
      }
      const age = now() - entry.writtenOn.getTime()
      if (age < graceMs) continue
      try {
        await reap(entry, age)
      } catch (error) {
        log.warn({ err: error, journalEntry: entry.id }, 'could not finish a journal entry, will retry')
      }
    }
  }

  async function reap(listed: StoredEntry, age: number): Promise<void> {
    // Another instance may have changed it since it was listed.
    const entry = await journal.reread(listed)
    if (entry === undefined) return
    if (entry.kind === 'lost') {
      if (age > lostRetentionMs) await journal.remove(entry)
    } else if (entry.communicationUserId === undefined) {
      await reapCreation(entry)
    } else {
      await finish(entry)
    }
  }

  async function finish(entry: JournalEntry): Promise<void> {
    await remover.finish(entry)
    // Tokens issued in the meantime are revoked too.
    dropCache(entry.userKey)
    const { id, kind, userKey } = entry
    log.info({ audit: kind, userKey, outcome: 'done', journalEntry: id }, 'finished a journal entry')
  }

  /** Ends a creation that its instance did not settle, whether cancelled or not. Leaves a changed entry to the next run. */
  async function reapCreation(entry: StoredEntry): Promise<void> {
    const identity = await store.find(entry.userKey)
    if (identity?.intentId === entry.id) {
      if (entry.kind === 'create') return void (await journal.confirm(entry))
      // Record the id before the mapping is removed.
      const { communicationUserId } = identity
      if (await journal.change(entry, { communicationUserId })) await finish({ ...entry, communicationUserId })
    } else if (await journal.change(entry, { kind: 'lost' })) {
      log.warn(
        { journalEntry: entry.id, userKey: entry.userKey },
        'a creation ended before its identity was known: an unused identity may remain in ACS',
      )
    }
  }

  return { counts, run }
}
