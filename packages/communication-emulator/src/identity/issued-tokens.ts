import type { KeySlot } from '../access-key.ts'
import type { Clock } from '../clock.ts'
import type { AccessKeyRow, IdentityRow, ResourceRow, Store, TokenRow } from '../store.ts'

/** State of a token; `deleted` if its identity was deleted, `foreign` if the emulator did not issue it. */
export type TokenState = 'valid' | 'expired' | 'revoked' | 'deleted' | 'foreign'

/** A token with the identity and the resource that it belongs to. */
export type OwnedTokenRow = TokenRow & Pick<IdentityRow, 'tail'> & ResourceRow

/** Time after expiry for which tokens are kept, so that moving the clock back by a day still finds them. */
const keepExpiredMs = 24 * 60 * 60_000

export type IssuedTokens = ReturnType<typeof createIssuedTokens>

/** Records issued tokens, without their text. */
export function createIssuedTokens(store: Store, clock: Clock) {
  let added = 0
  prune()

  /** Records a token and returns the `iat` to issue it with. `key` is the id of the access key, or 0. */
  function add(identity: IdentityRow, token: { scopes: string; issuedAt: number; exp: number; key: number }): number {
    const { scopes, issuedAt, exp, key } = token
    let iat = Math.floor(issuedAt / 1000)
    // guess(same-second): how the service treats equal requests in one second is unknown.
    // Equal claims produce equal tokens. If such a token was revoked, or issued with another key, date the new one a second
    // later, so that the old one stays revoked and each token belongs to one key.
    let same = find(identity.id, iat, exp, scopes)
    while (same && (same.access_key !== key || same.revoked)) {
      same = find(identity.id, ++iat, exp, scopes)
    }
    if (same) return iat
    const revoked = issuedAt < identity.tokens_valid_from ? 1 : 0
    store.run(
      `INSERT INTO token (identity, iat, exp, scopes, access_key, issued_at, revoked)
       VALUES (:identity, :iat, :exp, :scopes, :key, :issuedAt, :revoked)`,
      { identity: identity.id, iat, exp, scopes, key, issuedAt, revoked },
    )
    if (++added % 1000 === 0) prune()
    return iat
  }

  function find(identity: number, iat: number, exp: number, scopes: string): TokenRow | undefined {
    return store.get<TokenRow>(
      'SELECT * FROM token WHERE identity = :identity AND iat = :iat AND exp = :exp AND scopes = :scopes',
      { identity, iat, exp, scopes },
    )
  }

  /** Lists the tokens of all identities, or of one, oldest first; by default all, otherwise the newest. */
  function list(identity: number | null, newest = -1): OwnedTokenRow[] {
    const rows = store.all<OwnedTokenRow>(
      `SELECT resource.*, identity.tail, token.* FROM token JOIN identity ON identity.id = token.identity
       JOIN resource ON resource.id = identity.resource
       WHERE :identity IS NULL OR token.identity = :identity 
       ORDER BY token.issued_at DESC, token.identity DESC, token.iat DESC LIMIT :newest`,
      { identity, newest },
    )
    return rows.toReversed()
  }

  /** Returns the state of a token, and the slot of its access key unless that key was regenerated. */
  function getState(row: TokenRow): { state: TokenState; accessKey?: KeySlot } {
    const key = findKey(row)
    const isExpired = row.exp * 1000 <= clock.now()
    return {
      state: !isLive(row) ? 'revoked' : isExpired ? 'expired' : 'valid',
      ...(key && { accessKey: key.slot }),
    }
  }

  /** Returns when the last token was issued, in milliseconds; undefined if none was. */
  function getLastIssuedAt(identity: IdentityRow): number | undefined {
    const sql = 'SELECT max(issued_at) AS at FROM token WHERE identity = ?'
    return store.get<{ at: number | null }>(sql, identity.id)?.at ?? undefined
  }

  // differs(instant-revocation)
  /** Revokes the tokens issued before `validFrom`, in milliseconds of the emulator's clock; by default all. */
  function revoke(identity: IdentityRow, validFrom?: number): void {
    store.transaction(() => {
      store.run('UPDATE identity SET tokens_valid_from = ? WHERE id = ?', validFrom ?? clock.now(), identity.id)
      // Each token is marked, because a time alone cannot separate tokens of the same millisecond, nor reach those that were
      // issued before the clock moved back.
      const last = validFrom ?? Number.MAX_SAFE_INTEGER
      store.run('UPDATE token SET revoked = 1 WHERE identity = ? AND issued_at <= ?', identity.id, last)
    })
    store.onTokensRejected()
  }

  /** Deletes tokens that expired long ago, except the last one of each identity, which records when it was issued. */
  function prune(): void {
    store.run(
      `DELETE FROM token WHERE exp < ? AND EXISTS
       (SELECT 1 FROM token AS later WHERE later.identity = token.identity AND later.issued_at > token.issued_at)`,
      Math.floor((clock.now() - keepExpiredMs) / 1000),
    )
  }

  /** Whether a token is neither revoked nor issued with a regenerated key; it may have expired. */
  function isLive(row: TokenRow): boolean {
    return !row.revoked && (row.access_key === 0 || findKey(row) !== undefined)
  }

  function findKey({ access_key: id }: TokenRow): AccessKeyRow | undefined {
    return store.get<AccessKeyRow>('SELECT * FROM access_key WHERE id = ?', id)
  }

  return { add, find, list, getState, getLastIssuedAt, revoke }
}
