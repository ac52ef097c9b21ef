import type { KeySlot } from '../access-key.ts'
import type { Clock } from '../clock.ts'
import type { AccessKeyRow, IdentityRow, ResourceRow, Store, TokenRow } from '../store.ts'

/** State of a token; `deleted` if its identity was deleted, `foreign` if the emulator did not issue it. */
export type TokenState = 'valid' | 'expired' | 'revoked' | 'deleted' | 'foreign'

/** A token with the identity and the resource that it belongs to. */
export type OwnedTokenRow = TokenRow & Pick<IdentityRow, 'tail'> & ResourceRow

/** Time after expiry for which tokens are kept, so that moving the clock back by a day still finds them. */
const keepExpiredMs = 24 * 60 * 60_000

/** Records of the issued tokens; their text is not kept. */
export class IssuedTokens {
  readonly #store: Store
  readonly #clock: Clock
  #added = 0

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
    this.#prune()
  }

  /** Records a token and returns the `iat` to issue it with. `key` is the id of the access key, or 0. */
  add(identity: IdentityRow, token: { scopes: string; issuedAt: number; exp: number; key: number }): number {
    const { scopes, issuedAt, exp, key } = token
    let iat = Math.floor(issuedAt / 1000)
    // guess(same-second): how the service treats equal requests in one second is unknown.
    // The same claims in the same second produce the same token. It must neither become valid again once it is revoked nor
    // belong to two keys: then the next one is dated a second later.
    let same = this.find(identity.id, iat, exp, scopes)
    while (same && !(same.access_key === key && this.#isLive(same))) {
      same = this.find(identity.id, ++iat, exp, scopes)
    }
    if (same) return iat
    this.#store.run(
      'INSERT INTO token (identity, iat, exp, scopes, access_key, issued_at, revoked) VALUES (?, ?, ?, ?, ?, ?, ?)',
      identity.id,
      iat,
      exp,
      scopes,
      key,
      issuedAt,
      issuedAt < identity.tokens_valid_from ? 1 : 0,
    )
    if (++this.#added % 1000 === 0) this.#prune()
    return iat
  }

  find(identity: number, iat: number, exp: number, scopes: string): TokenRow | undefined {
    return this.#store.get<TokenRow>(
      'SELECT * FROM token WHERE identity = ? AND iat = ? AND exp = ? AND scopes = ?',
      identity,
      iat,
      exp,
      scopes,
    )
  }

  /** Lists the tokens of all identities, or of one, oldest first. */
  list(identity?: number): OwnedTokenRow[] {
    return this.#store.all<OwnedTokenRow>(
      `SELECT resource.*, identity.tail, token.* FROM token JOIN identity ON identity.id = token.identity
       JOIN resource ON resource.id = identity.resource
       WHERE ? IS NULL OR token.identity = ? ORDER BY token.issued_at, token.identity, token.iat`,
      identity ?? null,
      identity ?? null,
    )
  }

  /** Returns the state of a token, and the slot of its access key unless that key was regenerated. */
  getState(row: TokenRow): { state: TokenState; accessKey?: KeySlot } {
    const key = this.#store.get<AccessKeyRow>('SELECT * FROM access_key WHERE id = ?', row.access_key)
    const isExpired = row.exp * 1000 <= this.#clock.now()
    return {
      state: !this.#isLive(row) ? 'revoked' : isExpired ? 'expired' : 'valid',
      ...(key && { accessKey: key.slot }),
    }
  }

  /** Returns when the last token was issued, in milliseconds; undefined if none was. */
  getLastIssuedAt(identity: IdentityRow): number | undefined {
    const row = this.#store.get<{ at: number | null }>(
      'SELECT max(issued_at) AS at FROM token WHERE identity = ?',
      identity.id,
    )
    return row?.at ?? undefined
  }

  // differs(instant-revocation)
  /** Revokes the tokens issued before `validFrom`, in milliseconds of the emulator's clock; by default all. */
  revoke(identity: IdentityRow, validFrom?: number): void {
    this.#store.transaction(() => {
      const now = this.#clock.now()
      this.#store.run('UPDATE identity SET tokens_valid_from = ? WHERE id = ?', validFrom ?? now, identity.id)
      // Each token is marked, because a time alone cannot separate tokens of the same millisecond, nor reach those that were
      // issued before the clock moved back.
      this.#store.run(
        'UPDATE token SET revoked = 1 WHERE identity = ? AND issued_at <= ?',
        identity.id,
        validFrom ?? Number.MAX_SAFE_INTEGER,
      )
    })
  }

  /** Deletes tokens that expired long ago, except the last one of each identity, which records when it was issued. */
  #prune(): void {
    this.#store.run(
      `DELETE FROM token WHERE exp < ? AND EXISTS
       (SELECT 1 FROM token AS later WHERE later.identity = token.identity AND later.issued_at > token.issued_at)`,
      Math.floor((this.#clock.now() - keepExpiredMs) / 1000),
    )
  }

  /** Whether a token is neither revoked nor issued with a regenerated key; it may have expired. */
  #isLive(row: TokenRow): boolean {
    if (row.revoked) return false
    if (row.access_key === 0) return true
    return this.#store.get('SELECT id FROM access_key WHERE id = ?', row.access_key) !== undefined
  }
}
