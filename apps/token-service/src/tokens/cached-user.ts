import type { AccessKey } from '../communication/access-key.ts'
import type { IssuedToken } from '../communication/communication.ts'
import type { UserIdentity } from '../identities/identity-store.ts'

/** Tokens are handed out while they have this long to live: Azure's own credential refreshes when 10 minutes are left. */
const minRemainingMs = 20 * 60_000
/** Spreads the renewals of tokens that were issued together. */
const renewalSpreadMs = 5 * 60_000
/** Of one user, with different scopes or lifetimes: nobody needs more, and nobody can fill the memory. */
const maxTokens = 4
const noTokens: readonly CachedToken[] = []

export interface CachedToken {
  readonly grantKey: number
  /** As the store had it when the token was issued. */
  readonly identity: CachedIdentity
  readonly token: string
  /** RFC 3339, as it is sent. */
  readonly expiresOn: string
  readonly accessKey: AccessKey
  /** From then on it is not handed out any more. */
  readonly renewAt: number
}

/** As much of an identity as its tokens need. */
export type CachedIdentity = Pick<UserIdentity, 'communicationUserId' | 'epoch'>

/** What an instance remembers of one user. There are many of these: a few hundred bytes beside the token's text. */
export class CachedUser {
  /** As the store had it at `checkedAt`. */
  identity: CachedIdentity | undefined
  checkedAt = -Infinity
  /** Oldest first. */
  tokens: readonly CachedToken[] = noTokens
  /** What is being fetched now, for all who wait for it. */
  pendingIdentity: Promise<CachedIdentity> | undefined
  pendingTokens: Map<number, Promise<CachedToken>> | undefined
  isBeingChecked = false

  /** The last token of this grant, whatever has become of it. */
  token(grantKey: number): CachedToken | undefined {
    return this.tokens.find((token) => token.grantKey === grantKey)
  }

  /** A token of this grant that may be handed out now. */
  usableToken(grantKey: number, now: number): CachedToken | undefined {
    const token = this.token(grantKey)
    if (token === undefined || token.renewAt <= now || token.accessKey.isDead) return undefined
    return token.identity.epoch === this.identity?.epoch ? token : undefined
  }

  /** Returns what is kept of the identity, the same as before when nothing changed. */
  remember({ communicationUserId, epoch }: UserIdentity, now: number): CachedIdentity {
    this.checkedAt = now
    if (this.identity?.epoch !== epoch) this.identity = { communicationUserId, epoch }
    return this.identity
  }

  /** Forgets an identity that turned out to be no good, unless it has been replaced already. */
  forget({ communicationUserId }: CachedIdentity): void {
    if (this.identity?.communicationUserId !== communicationUserId) return
    this.identity = undefined
    this.tokens = noTokens
  }

  keep(grantKey: number, issued: IssuedToken, identity: CachedIdentity, random: () => number): CachedToken {
    const { token, expiresOn, key } = issued
    const renewAt = expiresOn.getTime() - minRemainingMs - random() * renewalSpreadMs
    const kept = { grantKey, identity, token, expiresOn: expiresOn.toISOString(), accessKey: key, renewAt }
    const others = this.tokens.filter((other) => other.grantKey !== grantKey)
    // Not spread: that would leave room for 16 more, in each of many.
    this.tokens = others.slice(1 - maxTokens).concat(kept)
    return kept
  }
}
