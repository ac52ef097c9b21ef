import { CommunicationIdentityError } from '@acs-kit/communication-identity'
import { LRUCache } from 'lru-cache'
import type { BackgroundTasks } from '../background-tasks.ts'
import type { Communication } from '../communication/communication.ts'
import type { FirstLogin } from '../identities/first-login.ts'
import { getResourceId, type IdentityStore } from '../identities/identity-store.ts'
import type { Log } from '../log.ts'
import { ProblemError } from '../problems/problem-error.ts'
import type { Principal } from '../sign-in/principal.ts'
import { CachedUser, type CachedIdentity, type CachedToken } from './cached-user.ts'
import { jitterLifetime, type Grant } from './scope-policy.ts'

const maxCachedUsers = 50_000
const failedCheckPauseMs = 5000

export interface UserTokensOptions {
  readonly store: IdentityStore
  readonly communication: Communication
  readonly firstLogin: FirstLogin
  readonly backgroundTasks: BackgroundTasks
  readonly now: () => number
  readonly random: () => number
  /** Maximum age of a cached identity. */
  readonly revocationBoundMs: number
  /** Immutable id of the resource. Default: that of the first identity created. */
  readonly resourceId: string | undefined
  /** Whether to replace identities of other resources. */
  readonly replaceForeignIdentities: boolean
  readonly log: Pick<Log, 'warn'>
}

/** Tokens of all users. Returns cached ones while usable; concurrent requests for the same token share one upstream request. */
export class UserTokens {
  readonly #options: UserTokensOptions
  readonly #users = new LRUCache<string, CachedUser>({ max: maxCachedUsers })
  #resourceId: string | undefined
  /** During an outage of the store, not every request checks again. */
  #nextCheckAt = 0

  constructor(options: UserTokensOptions) {
    this.#options = options
    this.#resourceId = options.resourceId
  }

  get cachedUsers(): number {
    return this.#users.size
  }

  /** Returns the usable cached token of the grant, if any. */
  getCached({ userKey }: Principal, grant: Grant): CachedToken | undefined {
    const user = this.#users.get(userKey)
    const now = this.#options.now()
    const token = user?.getUsableToken(grant.key, now)
    if (!user || !token) return undefined
    const ageMs = now - user.checkedAt
    if (ageMs >= this.#options.revocationBoundMs) return undefined
    // Checking early lets an outage of the store go unnoticed for longer.
    if (ageMs > this.#options.revocationBoundMs / 2) this.#checkInBackground(user, userKey)
    return token
  }

  /**
   * Issues a token, or returns one that another request has cached in the meantime. Rejects with a `ProblemError` or a
   * `CommunicationIdentityError`.
   */
  async issue(principal: Principal, grant: Grant, { refresh = false } = {}): Promise<CachedToken> {
    let user = this.#users.get(principal.userKey)
    if (!user) this.#users.set(principal.userKey, (user = new CachedUser()))
    const known = user.getToken(grant.key)
    const identity = await this.#resolveIdentity(user, principal, grant)
    // Usable if the store has confirmed the identity, or if the first login issued it.
    const token = user.getUsableToken(grant.key, this.#options.now())
    if (token && !(refresh && token === known)) return token
    return this.#issue(user, identity, principal, grant)
  }

  /** Drops the user's tokens, including those being issued. */
  drop(userKey: string): void {
    this.#users.delete(userKey)
  }

  /** Returns the identity from the cache or the store, or creates it. */
  #resolveIdentity(user: CachedUser, principal: Principal, grant: Grant): Promise<CachedIdentity> | CachedIdentity {
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
    if (this.#resourceId !== undefined && getResourceId(identity.communicationUserId) !== this.#resourceId) {
      this.#requireReplaceForeign(principal)
      await store.remove(principal.userKey, identity.communicationUserId)
      return this.#createIdentity(user, principal, grant)
    }
    return user.setIdentity(identity, checkedAt)
  }

  async #createIdentity(user: CachedUser, principal: Principal, grant: Grant): Promise<CachedIdentity> {
    const { firstLogin, now, random } = this.#options
    const checkedAt = now()
    const { identity, token } = await firstLogin.provision(principal, grant.scopes, this.#toLifetime(grant))
    this.#resourceId ??= getResourceId(identity.communicationUserId)
    const cached = user.setIdentity(identity, checkedAt)
    if (token) user.addToken(grant.key, token, cached, random)
    return cached
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

  /** Replaces an identity that the store has and ACS does not: it was deleted, or belongs to another resource. */
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
      if (code === 'identity-not-owned') this.#requireReplaceForeign(principal)
      else if (code === 'identity-unknown') this.#logReplacement(principal, code)
      else throw error
      await this.#options.store.remove(principal.userKey, identity.communicationUserId)
      user.dropIdentity(identity)
      const replacement = await this.#resolveIdentity(user, principal, grant)
      return user.getUsableToken(grant.key, this.#options.now()) ?? this.#issueNow(user, replacement, grant)
    }
  }

  async #issueNow(user: CachedUser, identity: CachedIdentity, grant: Grant): Promise<CachedToken> {
    const { communication, random } = this.#options
    const { communicationUserId } = identity
    const issued = await communication.issueToken(communicationUserId, grant.scopes, this.#toLifetime(grant))
    return user.addToken(grant.key, issued, identity, random)
  }

  #requireReplaceForeign(principal: Principal): void {
    if (!this.#options.replaceForeignIdentities) {
      throw new ProblemError(
        'identity-foreign',
        'If the service uses a new resource, set REMAP_FOREIGN_IDENTITIES=true to give its users new identities.',
      )
    }
    this.#logReplacement(principal, 'identity-foreign')
  }

  #logReplacement({ userKey }: Principal, reason: string): void {
    this.#options.log.warn({ audit: 'replace', userKey, reason }, "replacing the user's identity")
  }

  #checkInBackground(user: CachedUser, userKey: string): void {
    if (user.isBeingChecked || this.#options.now() < this.#nextCheckAt) return
    user.isBeingChecked = true
    const { backgroundTasks, store, now } = this.#options
    backgroundTasks.run('check a cached identity', async () => {
      try {
        const checkedAt = now()
        const identity = await store.find(userKey)
        if (identity && identity.communicationUserId === user.identity?.communicationUserId) {
          user.setIdentity(identity, checkedAt)
        } else if (this.#users.peek(userKey) === user) this.drop(userKey)
      } catch (error) {
        this.#nextCheckAt = now() + failedCheckPauseMs
        throw error
      } finally {
        user.isBeingChecked = false
      }
    })
  }

  /** In minutes. The administration SDK supports only the service's default. */
  #toLifetime({ minutes, isLifetimeRequested }: Grant): number | undefined {
    const isDefault = !isLifetimeRequested || minutes === 1440
    if (this.#options.communication.sdk === 'administration' && isDefault) return undefined
    return jitterLifetime(minutes, this.#options.random)
  }
}
