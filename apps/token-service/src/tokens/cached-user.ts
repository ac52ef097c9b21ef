import type { IssuedToken } from '../communication/communication.ts'
import type { UserIdentity } from '../identities/identity-store.ts'
import type { Grant } from './scope-policy.ts'

/** Tokens are handed out while they have this long to live: Azure's own credential refreshes when 10 minutes are left. */
const minRemainingMs = 20 * 60_000
/** Spreads the renewals of tokens that were issued together. */
const renewalSpreadMs = 5 * 60_000
/** Of one user, with different scopes or lifetimes: nobody needs more, and nobody can fill the memory. */
const maxTokens = 4

export interface CachedToken extends IssuedToken {
  readonly communicationUserId: string
  readonly epoch: string
  /** From then on it is not handed out any more. */
  readonly renewAt: number
}

/** What an instance remembers of one user. */
export class CachedUser {
  /** As the store had it at `checkedAt`. */
  identity: UserIdentity | undefined
  checkedAt = -Infinity
  readonly tokens = new Map<string, CachedToken>()
  /** What is being fetched now, for all who wait for it. */
  pendingIdentity: Promise<UserIdentity> | undefined
  pendingTokens: Map<string, Promise<CachedToken>> | undefined
  isBeingChecked = false

  /** A token of this grant that may be handed out now. */
  usableToken(grantKey: string, now: number): CachedToken | undefined {
    const token = this.tokens.get(grantKey)
    const isUsable =
      token !== undefined && token.renewAt > now && !token.key.isDead && token.epoch === this.identity?.epoch
    return isUsable ? token : undefined
  }

  remember(identity: UserIdentity, now: number): void {
    this.identity = identity
    this.checkedAt = now
  }

  /** Forgets an identity that turned out to be no good, unless it has been replaced already. */
  forget({ communicationUserId }: UserIdentity): void {
    if (this.identity?.communicationUserId !== communicationUserId) return
    this.identity = undefined
    this.tokens.clear()
  }

  keep(grantKey: string, issued: IssuedToken, identity: UserIdentity, random: () => number): CachedToken {
    const { token, expiresOn, key } = issued
    const { communicationUserId, epoch } = identity
    const renewAt = expiresOn.getTime() - minRemainingMs - random() * renewalSpreadMs
    const cached = { communicationUserId, token, expiresOn, key, epoch, renewAt }
    this.tokens.delete(grantKey)
    if (this.tokens.size >= maxTokens) this.tokens.delete(this.tokens.keys().next().value!)
    this.tokens.set(grantKey, cached)
    return cached
  }
}

export function grantKeyOf({ scopes, minutes }: Grant): string {
  return `${minutes} ${scopes.join()}`
}
