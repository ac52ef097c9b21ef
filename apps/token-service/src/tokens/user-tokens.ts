import { CommunicationIdentityError } from '@acs-kit/communication-identity'
import { LRUCache } from 'lru-cache'
import type { Background } from '../background.ts'
import { resourceIdOf, type IdentityStore } from '../identities/identity-store.ts'
import type { Communication } from '../communication/communication.ts'
import type { FirstLogin } from '../identities/first-login.ts'
import { ProblemError } from '../problem-error.ts'
import type { Principal } from '../sign-in/principal.ts'
import { CachedUser, type CachedIdentity, type CachedToken } from './cached-user.ts'
import { jitter, type Grant } from './scope-policy.ts'

const maxCachedUsers = 50_000
const checkPauseMs = 5000

export interface UserTokensOptions {
  readonly store: IdentityStore
  readonly communication: Communication
  readonly firstLogin: FirstLogin
  readonly background: Background
  readonly now: () => number
  readonly random: () => number
  /** How long a look at the store stays good. */
  readonly revocationBoundMs: number
  /** Immutable id of the resource; learnt from the first created identity when it is not given. */
  readonly resourceId: string | undefined
  /** Whether an identity of another resource is replaced. */
  readonly remapForeign: boolean
  readonly log: { warn(fields: object, message: string): void }
}

/**
 * The tokens of all users: cached ones while they are good, with a single call to Azure Communication Services however many
 * callers wait for the same.
 */
export class UserTokens {
  readonly #options: UserTokensOptions
  readonly #users = new LRUCache<string, CachedUser>({ max: maxCachedUsers })
  #resourceId: string | undefined
  /** Set while the store is out: not every request has to find that out. */
  #noCheckBefore = 0

  constructor(options: UserTokensOptions) {
    this.#options = options
    this.#resourceId = options.resourceId
  }

  get cachedUsers(): number {
    return this.#users.size
  }

  /** The user's cached token of this grant, if there is one that may be handed out. */
  cached({ userKey }: Principal, grant: Grant): CachedToken | undefined {
    const user = this.#users.get(userKey)
    const now = this.#options.now()
    const token = user?.usableToken(grant.key, now)
    if (!user || !token) return undefined
    const age = now - user.checkedAt
    if (age >= this.#options.revocationBoundMs) return undefined
    // Looking early means that an outage of the store is noticed late.
    if (age > this.#options.revocationBoundMs / 2) this.#checkInBackground(user, userKey)
    return token
  }

  /** A new token, the same for all who ask meanwhile. Rejects with a `ProblemError` or a `CommunicationIdentityError`. */
  async issue(principal: Principal, grant: Grant, { refresh = false } = {}): Promise<CachedToken> {
    let user = this.#users.get(principal.userKey)
    if (!user) this.#users.set(principal.userKey, (user = new CachedUser()))
    const known = user.token(grant.key)
    const identity = await this.#identityOf(user, principal, grant)
    // The look at the store confirmed the known one, or the first login came with one.
    const token = user.usableToken(grant.key, this.#options.now())
    if (token && !(refresh && token === known)) return token
    return this.#issue(user, identity, principal, grant)
  }

  /** What was cached for the user counts no more, nor what is being fetched. */
  drop(userKey: string): void {
    this.#users.delete(userKey)
  }

  /** From the cache within the bound, else from the store; created when there is none. */
  #identityOf(user: CachedUser, principal: Principal, grant: Grant): Promise<CachedIdentity> | CachedIdentity {
    const isFresh = this.#options.now() - user.checkedAt < this.#options.revocationBoundMs
    if (user.identity && isFresh) return user.identity
    return (user.pendingIdentity ??= this.#loadIdentity(user, principal, grant).finally(() => {
      user.pendingIdentity = undefined
    }))
  }

  async #loadIdentity(user: CachedUser, principal: Principal, grant: Grant): Promise<CachedIdentity> {
    const { store, now } = this.#options
    const checkedAt = now()
    const identity = await store.find(principal.userKey)
    if (!identity) return this.#createIdentity(user, principal, grant)
    if (this.#resourceId !== undefined && resourceIdOf(identity.communicationUserId) !== this.#resourceId) {
      this.#refuseForeign(principal)
      await store.remove(principal.userKey, identity.communicationUserId)
      return this.#createIdentity(user, principal, grant)
    }
    return user.remember(identity, checkedAt)
  }

  async #createIdentity(user: CachedUser, principal: Principal, grant: Grant): Promise<CachedIdentity> {
    const { firstLogin, now, random } = this.#options
    const checkedAt = now()
    const { identity, token } = await firstLogin.provision(principal, grant.scopes, this.#lifetimeOf(grant))
    this.#resourceId ??= resourceIdOf(identity.communicationUserId)
    const kept = user.remember(identity, checkedAt)
    if (token) user.keep(grant.key, token, kept, random)
    return kept
  }

  #issue(user: CachedUser, identity: CachedIdentity, principal: Principal, grant: Grant): Promise<CachedToken> {
    const grantKey = grant.key
    user.pendingTokens ??= new Map()
    let pending = user.pendingTokens.get(grantKey)
    if (!pending) {
      pending = this.#issueOrReplace(user, identity, principal, grant).finally(() => {
        user.pendingTokens?.delete(grantKey)
        if (user.pendingTokens?.size === 0) user.pendingTokens = undefined
      })
      user.pendingTokens.set(grantKey, pending)
    }
    return pending
  }

  /** The store may know an identity that the service does not: one that is gone, or that was another resource's all along. */
  async #issueOrReplace(
    user: CachedUser,
    identity: CachedIdentity,
    principal: Principal,
    grant: Grant,
  ): Promise<CachedToken> {
    try {
      return await this.#issueNow(user, identity, grant)
    } catch (error) {
      const code = error instanceof CommunicationIdentityError ? error.code : undefined
      if (code === 'identity-not-owned') this.#refuseForeign(principal)
      else if (code === 'identity-unknown') this.#logReplacement(principal, code)
      else throw error
      await this.#options.store.remove(principal.userKey, identity.communicationUserId)
      user.forget(identity)
      const replacement = await this.#identityOf(user, principal, grant)
      return user.usableToken(grant.key, this.#options.now()) ?? this.#issueNow(user, replacement, grant)
    }
  }

  async #issueNow(user: CachedUser, identity: CachedIdentity, grant: Grant): Promise<CachedToken> {
    const { communication, random } = this.#options
    const { communicationUserId } = identity
    const issued = await communication.issueToken(communicationUserId, grant.scopes, this.#lifetimeOf(grant))
    return user.keep(grant.key, issued, identity, random)
  }

  /** Throws unless such identities are to be replaced. */
  #refuseForeign(principal: Principal): void {
    if (!this.#options.remapForeign) {
      throw new ProblemError(
        'identity-foreign',
        'Was the service pointed at a new resource? With REMAP_FOREIGN_IDENTITIES=true users get new identities.',
      )
    }
    this.#logReplacement(principal, 'identity-foreign')
  }

  #logReplacement({ userKey }: Principal, reason: string): void {
    this.#options.log.warn({ audit: 'replace', userKey, reason }, 'the user gets a new identity')
  }

  #checkInBackground(user: CachedUser, userKey: string): void {
    if (user.isBeingChecked || this.#options.now() < this.#noCheckBefore) return
    user.isBeingChecked = true
    const { background, store, now } = this.#options
    background.run('look at the store again', async () => {
      try {
        const checkedAt = now()
        const identity = await store.find(userKey)
        if (identity && identity.communicationUserId === user.identity?.communicationUserId) {
          user.remember(identity, checkedAt)
        } else if (this.#users.peek(userKey) === user) this.drop(userKey)
      } catch (error) {
        this.#noCheckBefore = now() + checkPauseMs
        throw error
      } finally {
        user.isBeingChecked = false
      }
    })
  }

  /** In minutes; the administration SDK leaves it to the service. */
  #lifetimeOf({ minutes, isAsked }: Grant): number | undefined {
    if (this.#options.communication.sdk === 'administration' && (!isAsked || minutes === 1440)) return undefined
    return jitter(minutes, this.#options.random)
  }
}
