import type { Scope } from '@acs-kit/communication-identity'
import { hadNoEffect, type IssuedToken } from '../communication/communication.ts'
import type { Principal } from '../sign-in/principal.ts'
import type { IdentityDependencies } from './identity-dependencies.ts'
import type { IdentityRemover } from './identity-remover.ts'
import type { UserIdentity } from './identity-store.ts'
import type { StoredEntry } from './journal.ts'

export type FirstLogin = ReturnType<typeof createFirstLogin>

/**
 * Creates exactly one identity for a user, even if several instances receive first logins. Each writes a journal entry, creates
 * an identity and inserts it into the store. The store keeps the first one; the other instances delete theirs.
 */
export function createFirstLogin(dependencies: IdentityDependencies, remover: IdentityRemover) {
  const { store, journal, communication, backgroundTasks, dropCache, log } = dependencies
  /** Finished creations that are still in the journal, with their identity unless none was created. */
  const unsettled = new Map<StoredEntry, string | undefined>()

  /** Returns the identity, and its first token unless another instance was first or the SDK needs a second request for it. */
  async function provision(
    principal: Principal,
    scopes: readonly Scope[],
    minutes: number | undefined,
  ): Promise<{ identity: UserIdentity; token?: IssuedToken }> {
    const { userKey } = principal
    const intent = await journal.add({ kind: 'create', userKey })
    const { communicationUserId, ...token } = await create(intent, scopes, minutes)
    let stored: UserIdentity | undefined
    try {
      stored = (await store.insert(principal, communicationUserId, intent.id)) ?? (await store.find(userKey))
    } finally {
      unsettled.set(intent, communicationUserId)
    }
    backgroundTasks.run('settle a first login', () => settle(intent, stored))
    if (stored?.communicationUserId === communicationUserId) {
      log.info({ audit: 'create', userKey })
      return { identity: stored, ...token }
    }
    // The other identity has been deleted since: try again.
    return stored ? { identity: stored } : provision(principal, scopes, minutes)
  }

  /** Settles the first logins whose outcome the store has not confirmed: keeps mapped identities and deletes the others. */
  async function reconcile(): Promise<void> {
    const settlements = Array.from(unsettled.keys(), async (intent) => {
      await settle(intent, await store.find(intent.userKey))
    })
    await Promise.allSettled(settlements)
    await Promise.all(settlements)
  }

  async function settle(intent: StoredEntry, stored: UserIdentity | undefined): Promise<void> {
    if (!unsettled.has(intent)) return
    const communicationUserId = unsettled.get(intent)
    const isStored = stored?.communicationUserId === communicationUserId
    if (communicationUserId === undefined) await journal.remove(intent)
    else if (!isStored || !(await journal.confirm(intent))) {
      // Once the entry is written, the reaper of any instance can finish the deletion.
      const surplus = await journal.put({ ...intent, kind: 'delete', communicationUserId })
      unsettled.delete(intent)
      await remover.finish(surplus)
      log.info({ audit: 'delete', userKey: intent.userKey, outcome: 'done' }, 'deleted a surplus identity')
      if (isStored) dropCache(intent.userKey)
    }
    unsettled.delete(intent)
  }

  async function create(intent: StoredEntry, scopes: readonly Scope[], minutes: number | undefined) {
    try {
      return await communication.create(scopes, minutes)
    } catch (error) {
      if (hadNoEffect(error)) {
        unsettled.set(intent, undefined)
        backgroundTasks.run('settle a first login', () => settle(intent, undefined))
      }
      throw error
    }
  }

  return { provision, reconcile }
}
