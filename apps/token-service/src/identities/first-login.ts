import type { Scope } from '@acs-kit/communication-identity'
import type { Background } from '../background.ts'
import { hadNoEffect, type Communication, type IssuedToken } from '../communication/communication.ts'
import type { Principal } from '../sign-in/principal.ts'
import type { IdentityStore, UserIdentity } from './identity-store.ts'
import type { Journal, JournalEntry } from './journal.ts'
import type { Removal } from './removal.ts'

/**
 * Gives a user their one identity, whichever instances they arrive at together. The order is what makes it safe: an entry in
 * the journal, then the identity, then insert-if-absent into the store, which decides; the loser deletes what it made.
 */
export class FirstLogin {
  readonly #store: IdentityStore
  readonly #journal: Journal
  readonly #communication: Communication
  readonly #removal: Removal
  readonly #background: Background
  /** Created, but the store did not say whether they count. */
  readonly #undecided = new Map<JournalEntry, string>()

  constructor(parts: {
    store: IdentityStore
    journal: Journal
    communication: Communication
    removal: Removal
    background: Background
  }) {
    this.#store = parts.store
    this.#journal = parts.journal
    this.#communication = parts.communication
    this.#removal = parts.removal
    this.#background = parts.background
  }

  /** With the first token, unless another instance was first or the SDK can't give both at once. */
  async perform(
    principal: Principal,
    scopes: readonly Scope[],
    minutes: number | undefined,
  ): Promise<{ identity: UserIdentity; token?: IssuedToken }> {
    const { userKey } = principal
    const intent = await this.#journal.add({ kind: 'create', userKey })
    const { communicationUserId, ...token } = await this.#create(intent, scopes, minutes)
    let winner: UserIdentity | undefined
    try {
      winner =
        (await this.#store.insert(principal, communicationUserId, intent.id)) ?? (await this.#store.find(userKey))
    } catch (error) {
      this.#undecided.set(intent, communicationUserId)
      throw error
    }
    if (winner?.communicationUserId === communicationUserId) {
      this.#background.run('clear the journal', () => this.#journal.remove(intent))
      return { identity: winner, ...token }
    }
    this.#undecided.set(intent, communicationUserId)
    this.#background.run('delete a surplus identity', () => this.decide())
    // Whoever was first has been erased since: try again.
    return winner ? { identity: winner } : this.perform(principal, scopes, minutes)
  }

  /** Finds out which of the undecided identities count, and deletes the others. */
  async decide(): Promise<void> {
    for (const [intent, communicationUserId] of this.#undecided) {
      const identity = await this.#store.find(intent.userKey)
      if (identity?.communicationUserId === communicationUserId) {
        await this.#journal.remove(intent)
        this.#undecided.delete(intent)
      } else {
        const surplus: JournalEntry = { ...intent, kind: 'delete', communicationUserId }
        await this.#journal.put(surplus)
        this.#undecided.delete(intent)
        await this.#removal.finish(surplus)
      }
    }
  }

  async #create(intent: JournalEntry, scopes: readonly Scope[], minutes: number | undefined) {
    try {
      return await this.#communication.create(scopes, minutes)
    } catch (error) {
      if (hadNoEffect(error)) this.#background.run('clear the journal', () => this.#journal.remove(intent))
      throw error
    }
  }
}
