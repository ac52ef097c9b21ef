import type { Scope } from '@acs-kit/communication-identity'
import { hadNoEffect, type IssuedToken } from '../communication/communication.ts'
import type { Principal } from '../sign-in/principal.ts'
import type { IdentityDependencies } from './identity-dependencies.ts'
import type { IdentityRemover } from './identity-remover.ts'
import type { UserIdentity } from './identity-store.ts'
import type { StoredEntry } from './journal.ts'

export interface FirstLoginOptions extends IdentityDependencies {
  readonly remover: IdentityRemover
}

/**
 * Creates exactly one identity for a user, even if first logins arrive at several instances. Writes a journal entry, creates an
 * identity and inserts it into the store if absent: whoever loses that race deletes its identity.
 */
export class FirstLogin {
  readonly #options: FirstLoginOptions
  /** Finished creations that are still in the journal, with their identity unless none was created. */
  readonly #unsettled = new Map<StoredEntry, string | undefined>()

  constructor(options: FirstLoginOptions) {
    this.#options = options
  }

  /** Also returns the first token, unless another instance was first or the SDK needs a second request for it. */
  async provision(
    principal: Principal,
    scopes: readonly Scope[],
    minutes: number | undefined,
  ): Promise<{ identity: UserIdentity; token?: IssuedToken }> {
    const { store, journal, backgroundTasks, log } = this.#options
    const { userKey } = principal
    const intent = await journal.add({ kind: 'create', userKey })
    const { communicationUserId, ...token } = await this.#create(intent, scopes, minutes)
    let winner: UserIdentity | undefined
    try {
      winner = (await store.insert(principal, communicationUserId, intent.id)) ?? (await store.find(userKey))
    } finally {
      this.#unsettled.set(intent, communicationUserId)
    }
    backgroundTasks.run('settle a first login', () => this.#settle(intent, winner))
    if (winner?.communicationUserId === communicationUserId) {
      log.info({ audit: 'create', userKey })
      return { identity: winner, ...token }
    }
    // The other identity has been deleted since: try again.
    return winner ? { identity: winner } : this.provision(principal, scopes, minutes)
  }

  /** Settles the first logins whose outcome the store has not confirmed: keeps mapped identities and deletes the others. */
  async reconcile(): Promise<void> {
    const settled = await Promise.allSettled(
      Array.from(this.#unsettled.keys(), async (intent) => {
        await this.#settle(intent, await this.#options.store.find(intent.userKey))
      }),
    )
    const failure = settled.find((result) => result.status === 'rejected')
    if (failure) throw failure.reason
  }

  async #settle(intent: StoredEntry, winner: UserIdentity | undefined): Promise<void> {
    const { journal, remover, dropCache, log } = this.#options
    if (!this.#unsettled.has(intent)) return
    const communicationUserId = this.#unsettled.get(intent)
    const isWinner = winner?.communicationUserId === communicationUserId
    if (communicationUserId === undefined) await journal.remove(intent)
    else if (!isWinner || !(await journal.confirm(intent))) {
      // From here on, the reaper of any instance can finish the deletion.
      const surplus = await journal.put({ ...intent, kind: 'delete', communicationUserId })
      this.#unsettled.delete(intent)
      await remover.finish(surplus)
      log.info({ audit: 'delete', userKey: intent.userKey, outcome: 'done' }, 'deleted a surplus identity')
      if (isWinner) dropCache(intent.userKey)
    }
    this.#unsettled.delete(intent)
  }

  async #create(intent: StoredEntry, scopes: readonly Scope[], minutes: number | undefined) {
    const { communication, backgroundTasks } = this.#options
    try {
      return await communication.create(scopes, minutes)
    } catch (error) {
      if (hadNoEffect(error)) {
        this.#unsettled.set(intent, undefined)
        backgroundTasks.run('settle a first login', () => this.#settle(intent, undefined))
      }
      throw error
    }
  }
}
