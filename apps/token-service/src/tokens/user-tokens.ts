import { CommunicationIdentityError } from '@acs-kit/communication-identity'
import { getResourceId } from '@acs-kit/service-settings'
import type { ProblemCode } from '@acs-kit/token-contract'
import { LRUCache } from 'lru-cache'
import type { BackgroundTasks } from '../background-tasks.ts'
import type { Communication } from '../communication/communication.ts'
import type { FirstLogin } from '../identities/first-login.ts'
import type { IdentityStore } from '../identities/identity-store.ts'
import { ProblemError } from '../problems/problem-error.ts'
import type { ServiceOptions } from '../service-options.ts'
import type { Principal } from '../sign-in/principal.ts'
import { runStep } from '../steps.ts'
import { CachedUser, type CachedIdentity, type CachedToken } from './cached-user.ts'
import { jitterLifetime, type Grant } from './scope-policy.ts'

const maxCachedUsers = 50_000
const failedCheckPauseMs = 5000

interface UserTokensOptions extends ServiceOptions {
  readonly store: IdentityStore
  readonly communication: Communication
  readonly firstLogin: FirstLogin
  readonly backgroundTasks: BackgroundTasks
}

/** Context of a token to issue. */
interface Issuance {
  readonly user: CachedUser
  readonly principal: Principal
  readonly grant: Grant
}

export type UserTokens = ReturnType<typeof createUserTokens>

/** Creates the token cache of all users. Concurrent requests for the same token share one upstream request. */
export function createUserTokens(options: UserTokensOptions) {
  const { settings, store, communication, firstLogin, backgroundTasks, now, random, log } = options
  const revocationBoundMs = settings.REVOCATION_BOUND_SECONDS * 1000
  const users = new LRUCache<string, CachedUser>({ max: maxCachedUsers })
  /** Immutable id of the resource. Default: that of the first identity created. */
  let resourceId = settings.COMMUNICATION_SERVICES_RESOURCE_ID
  /** Time of the next check after a failed one: requests during an outage of the store do not all check. */
  let nextCheckAt = 0

  /** Returns the usable cached token of the grant, if any. */
  function getCached({ userKey }: Principal, grant: Grant): CachedToken | undefined {
    const user = users.get(userKey)
    const time = now()
    const token = user?.getUsableToken(grant.key, time)
    if (!user || !token) return undefined
    const ageMs = time - user.checkedAt
    if (ageMs >= revocationBoundMs) return undefined
    // Checking early lets an outage of the store go unnoticed for longer.
    if (ageMs > revocationBoundMs / 2) checkInBackground(user, userKey)
    return token
  }

  /**
   * Issues a token, or returns one that another request has cached in the meantime. Rejects with a `ProblemError` or a
   * `CommunicationIdentityError`.
   */
  async function issue(principal: Principal, grant: Grant, { refresh = false } = {}): Promise<CachedToken> {
    let user = users.get(principal.userKey)
    if (!user) users.set(principal.userKey, (user = new CachedUser()))
    const issuance = { user, principal, grant }
    const known = user.getToken(grant.key)
    const identity = await resolveIdentity(issuance)
    // Usable if the store has confirmed the identity, or if the first login issued it.
    const token = user.getUsableToken(grant.key, now())
    if (token && !(refresh && token === known)) return token
    return runStep({ name: 'issue token' }, () => issueShared(issuance, identity))
  }

  /** Drops the user's tokens, including those being issued. */
  function drop(userKey: string): void {
    users.delete(userKey)
  }

  /** Returns the identity from the cache or the store, or creates it. */
  function resolveIdentity(issuance: Issuance): Promise<CachedIdentity> | CachedIdentity {
    const { user } = issuance
    const isFresh = now() - user.checkedAt < revocationBoundMs
    if (user.identity && isFresh) return user.identity
    // A step of each request that waits.
    return runStep(
      { name: 'resolve identity' },
      () =>
        (user.pendingIdentity ??= loadIdentity(issuance).finally(() => {
          user.pendingIdentity = undefined
        })),
    )
  }

  async function loadIdentity(issuance: Issuance): Promise<CachedIdentity> {
    const { user, principal } = issuance
    const checkedAt = now()
    const identity = await store.find(principal.userKey)
    if (!identity) return createIdentity(issuance)
    if (resourceId !== undefined && getResourceId(identity.communicationUserId) !== resourceId) {
      await discard(principal, identity, 'identity-foreign')
      return createIdentity(issuance)
    }
    return user.setIdentity(identity, checkedAt)
  }

  async function createIdentity({ user, principal, grant }: Issuance): Promise<CachedIdentity> {
    const checkedAt = now()
    const { identity, token } = await firstLogin.provision(principal, grant.scopes, toLifetime(grant))
    resourceId ??= getResourceId(identity.communicationUserId)
    const cached = user.setIdentity(identity, checkedAt)
    if (token) user.addToken(grant.key, token, cached, random)
    return cached
  }

  /** Starts an upstream request, or joins the pending one for the same grant. */
  function issueShared(issuance: Issuance, identity: CachedIdentity): Promise<CachedToken> {
    const { user, grant } = issuance
    const pending = (user.pendingTokens ??= new Map<number, Promise<CachedToken>>())
    let token = pending.get(grant.key)
    if (!token) {
      token = issueOrReplace(issuance, identity).finally(() => {
        pending.delete(grant.key)
        if (pending.size === 0) user.pendingTokens = undefined
      })
      pending.set(grant.key, token)
    }
    return token
  }

  /** Replaces an identity that the store has and ACS does not: it was deleted, or belongs to another resource. */
  async function issueOrReplace(issuance: Issuance, identity: CachedIdentity): Promise<CachedToken> {
    const { user, principal, grant } = issuance
    try {
      return await issueNow(issuance, identity)
    } catch (error) {
      const code = error instanceof CommunicationIdentityError ? error.code : undefined
      if (code !== 'identity-not-owned' && code !== 'identity-unknown') throw error
      await discard(principal, identity, code === 'identity-unknown' ? code : 'identity-foreign')
      user.dropIdentity(identity)
      const replacement = await resolveIdentity(issuance)
      return user.getUsableToken(grant.key, now()) ?? issueNow(issuance, replacement)
    }
  }

  async function issueNow({ user, grant }: Issuance, identity: CachedIdentity): Promise<CachedToken> {
    const { communicationUserId } = identity
    const issued = await communication.issueToken(communicationUserId, grant.scopes, toLifetime(grant))
    return user.addToken(grant.key, issued, identity, random)
  }

  /** Removes an identity from the store, so that another one replaces it. Throws if the settings forbid that. */
  async function discard({ userKey }: Principal, { communicationUserId }: CachedIdentity, reason: ProblemCode) {
    if (reason === 'identity-foreign' && !settings.REMAP_FOREIGN_IDENTITIES) {
      throw new ProblemError(
        reason,
        'If the service uses a new resource, set REMAP_FOREIGN_IDENTITIES=true to give its users new identities.',
      )
    }
    log.warn({ audit: 'replace', userKey, reason }, "replacing the user's identity")
    await store.remove(userKey, communicationUserId)
  }

  function checkInBackground(user: CachedUser, userKey: string): void {
    if (user.isBeingChecked || now() < nextCheckAt) return
    user.isBeingChecked = true
    backgroundTasks.run('check a cached identity', async () => {
      try {
        const checkedAt = now()
        const identity = await store.find(userKey)
        if (identity && identity.communicationUserId === user.identity?.communicationUserId) {
          user.setIdentity(identity, checkedAt)
        } else if (users.peek(userKey) === user) drop(userKey)
      } catch (error) {
        nextCheckAt = now() + failedCheckPauseMs
        throw error
      } finally {
        user.isBeingChecked = false
      }
    })
  }

  /** Returns the minutes to request. Undefined is ACS's default, the only lifetime that the administration SDK supports. */
  function toLifetime({ minutes, isLifetimeRequested }: Grant): number | undefined {
    const isDefault = !isLifetimeRequested || minutes === 1440
    if (communication.sdk === 'administration' && isDefault) return undefined
    return jitterLifetime(minutes, random)
  }

  return { getCached, issue, drop, countUsers: () => users.size }
}
