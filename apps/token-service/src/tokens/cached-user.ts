import type { AccessKey, IssuedToken } from '../communication/communication.ts'
import type { UserIdentity } from '../identities/identity-store.ts'

/** Minimum remaining lifetime of a returned token. Azure's own credential refreshes when 10 minutes remain. */
const minRemainingMs = 20 * 60_000
/** Spreads the renewals of tokens issued together. */
const renewalSpreadMs = 5 * 60_000
/** Bounds the memory per user, whose tokens differ in scopes or lifetime. */
const maxTokens = 4
const noTokens: readonly CachedToken[] = []

export interface CachedToken {
  readonly grantKey: number
  /** Identity in the store when the token was issued. */
  readonly identity: CachedIdentity
  readonly token: string
  /** RFC 3339, as in the response. */
  readonly expiresOn: string
  readonly accessKey: AccessKey
  /** Time from which the token is not returned. */
  readonly renewAt: number
}

/** The part of an identity that its tokens need. */
export type CachedIdentity = Pick<UserIdentity, 'communicationUserId' | 'epoch'>

/** Cache entry of a user. There are many: each takes a few hundred bytes in addition to the tokens. */
export class CachedUser {
  /** Identity in the store at `checkedAt`. */
  identity: CachedIdentity | undefined
  checkedAt = -Infinity
  /** Oldest first. */
  tokens: readonly CachedToken[] = noTokens
  /** Requests in progress, shared by all callers. */
  pendingIdentity: Promise<CachedIdentity> | undefined
  pendingTokens: Map<number, Promise<CachedToken>> | undefined
  isBeingChecked = false

  /** Returns the last token of the grant, whether usable or not. */
  getToken(grantKey: number): CachedToken | undefined {
    return this.tokens.find((token) => token.grantKey === grantKey)
  }

  getUsableToken(grantKey: number, now: number): CachedToken | undefined {
    const token = this.getToken(grantKey)
    if (token === undefined || token.renewAt <= now || token.accessKey.isRejected) return undefined
    return token.identity.epoch === this.identity?.epoch ? token : undefined
  }

  /** Returns the same object as before if nothing changed. */
  setIdentity({ communicationUserId, epoch }: UserIdentity, now: number): CachedIdentity {
    this.checkedAt = now
    if (this.identity?.epoch !== epoch) this.identity = { communicationUserId, epoch }
    return this.identity
  }

  /** Drops an invalid identity, unless it has been replaced already. */
  dropIdentity({ communicationUserId }: CachedIdentity): void {
    if (this.identity?.communicationUserId !== communicationUserId) return
    this.identity = undefined
    this.tokens = noTokens
  }

  addToken(grantKey: number, issued: IssuedToken, identity: CachedIdentity, random: () => number): CachedToken {
    const { token, expiresOn, key } = issued
    const renewAt = expiresOn.getTime() - minRemainingMs - random() * renewalSpreadMs
    const added = { grantKey, identity, token, expiresOn: expiresOn.toISOString(), accessKey: key, renewAt }
    const others = this.tokens.filter((other) => other.grantKey !== grantKey)
    // Uses concat: spread syntax would reserve memory for 16 more tokens.
    this.tokens = others.slice(1 - maxTokens).concat(added)
    return added
  }
}
