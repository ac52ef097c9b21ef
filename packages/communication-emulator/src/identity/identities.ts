import type { AccessKey } from '../access-key.ts'
import type { Clock } from '../clock.ts'
import type { Resource } from '../resource.ts'
import type { AccessKeyRow, IdentityRow, ResourceRow, Store, TokenRow } from '../store.ts'
import type { AccessTokenClaims, AccessTokenSigner } from './access-token.ts'
import { formatCommunicationUserId, parseCommunicationUserId, randomTail } from './communication-user-id.ts'
import { identityNotFound, identityNotOwned } from './errors.ts'
import type { TeamsUser } from './teams-user.ts'

/** Who asked for a token: an access key, with which it dies, or 0 for none. */
export type IssuingKey = Pick<AccessKey, 'id'>

export interface IssuedToken {
  readonly token: string
  readonly expiresOn: number
}

export interface IssueOptions {
  readonly scopes: readonly string[]
  readonly minutes: number
  readonly key: IssuingKey
}

export type TokenState = 'valid' | 'expired' | 'revoked' | 'deleted' | 'foreign'

/** What becomes of a token; `foreign` is of no resource of this emulator, or was not signed here. */
export interface Introspection {
  readonly state: TokenState
  readonly communicationUserId?: string
  readonly scopes?: readonly string[]
  readonly issuedAt?: Date
  readonly expiresOn?: Date
  /** The resource and the access key that asked for it; no slot when that key was regenerated. */
  readonly resource?: string
  readonly accessKey?: 'primary' | 'secondary'
}

export interface ListedIdentity {
  readonly communicationUserId: string
  readonly resource: string
  readonly customId?: string
  readonly createdAt: Date
  readonly lastTokenIssuedAt?: Date
}

export interface ListedToken extends Introspection {
  /** Only when asked for. */
  readonly token?: string
}

// Pruned so long after their end that moving the clock back by a day still finds them.
const keepExpiredMs = 24 * 60 * 60_000

/** Identities and what was issued for them: the state behind the identity plane, for all resources. */
export class Identities {
  readonly #store: Store
  readonly #clock: Clock
  readonly #signer: AccessTokenSigner
  #issued = 0

  constructor(store: Store, clock: Clock, signer: AccessTokenSigner) {
    this.#store = store
    this.#clock = clock
    this.#signer = signer
    this.#prune()
  }

  /** Returns the identity that has the custom id, if one has it already. */
  create(resource: Resource, customId?: string): IdentityRow {
    if (customId !== undefined) {
      const identity = this.#store.get<IdentityRow>(
        'SELECT * FROM identity WHERE resource = ? AND custom_id = ?',
        resource.id,
        customId,
      )
      if (identity) return identity
    }
    const tail = randomTail()
    const createdAt = this.#clock.now()
    const { id } = this.#store.run(
      'INSERT INTO identity (resource, tail, custom_id, created_at) VALUES (?, ?, ?, ?)',
      resource.id,
      tail,
      customId ?? null,
      createdAt,
    )
    return {
      id,
      resource: resource.id,
      tail,
      custom_id: customId ?? null,
      created_at: createdAt,
      tokens_valid_from: 0,
    }
  }

  idOf(resource: Resource, identity: IdentityRow): string {
    return formatCommunicationUserId(resource.immutableId, identity.id, identity.tail)
  }

  /** Throws unless the id names the resource by its GUID. */
  checkOwned(resource: Resource, communicationUserId: string): void {
    // guess(malformed-id): what names no resource belongs to none.
    if (parseCommunicationUserId(communicationUserId)?.resourceGuid !== resource.immutableId) throw identityNotOwned()
  }

  /** Throws the service's refusal of an id that belongs to the resource but does not exist, or no more. */
  find(resource: Resource, communicationUserId: string): IdentityRow {
    const parsed = parseCommunicationUserId(communicationUserId)
    const row = parsed && this.#store.get<IdentityRow>('SELECT * FROM identity WHERE id = ?', parsed.counter)
    if (!row || row.tail !== parsed.tail || row.resource !== resource.id) throw identityNotFound()
    return row
  }

  async issue(
    resource: Resource,
    identity: IdentityRow,
    { scopes: asked, minutes, key }: IssueOptions,
  ): Promise<IssuedToken> {
    const issuedAt = this.#clock.now()
    const expiresOn = issuedAt + minutes * 60_000
    const exp = Math.floor(expiresOn / 1000)
    // guess(scope-order): as asked, each once.
    const scopes = [...new Set(asked)].join(',')
    let iat = Math.floor(issuedAt / 1000)
    // guess(same-second): the service's way with equal requests in one second is not known.
    // The same claims in the same second make the same token. It must not come back to life once it is revoked, nor belong
    // to two keys: then the next one is dated a second later.
    let same = this.#findToken(identity.id, iat, exp, scopes)
    while (same && !(same.access_key === key.id && this.#isLive(same))) {
      same = this.#findToken(identity.id, ++iat, exp, scopes)
    }
    if (!same) {
      this.#store.run(
        'INSERT INTO token (identity, iat, exp, scopes, access_key, issued_at, revoked) VALUES (?, ?, ?, ?, ?, ?, ?)',
        identity.id,
        iat,
        exp,
        scopes,
        key.id,
        issuedAt,
        issuedAt < identity.tokens_valid_from ? 1 : 0,
      )
      if (++this.#issued % 1000 === 0) this.#prune()
    }
    const token = await this.#signer.sign({
      communicationUserId: this.idOf(resource, identity),
      scopes,
      resourceGuid: resource.immutableId,
      dataLocation: resource.dataLocation,
      iat,
      exp,
    })
    return { token, expiresOn }
  }

  // guess(teams-token): of such a token's claims only tid is known; these are of the usual form, for the Teams user's id.
  /** For a Teams user, who has no identity of the resource's. Seconds. */
  async issueToTeamsUser(resource: Resource, { oid, tenantId, exp }: TeamsUser): Promise<IssuedToken> {
    const token = await this.#signer.sign({
      communicationUserId: `8:orgid:${oid}`,
      scopes: 'chat,voip',
      resourceGuid: resource.immutableId,
      dataLocation: resource.dataLocation,
      iat: Math.floor(this.#clock.now() / 1000),
      exp,
      tenantId,
    })
    return { token, expiresOn: exp * 1000 }
  }

  /** Milliseconds; undefined when none was issued yet. */
  lastTokenIssuedAt(identity: IdentityRow): number | undefined {
    const row = this.#store.get<{ at: number | null }>(
      'SELECT max(issued_at) AS at FROM token WHERE identity = ?',
      identity.id,
    )
    return row?.at ?? undefined
  }

  // differs(instant-revocation)
  /** Revokes the tokens issued before `validFrom`, in milliseconds of the emulator's clock; default: all so far. */
  revoke(identity: IdentityRow, validFrom?: number): void {
    this.#store.transaction(() => {
      const now = this.#clock.now()
      this.#store.run('UPDATE identity SET tokens_valid_from = ? WHERE id = ?', validFrom ?? now, identity.id)
      // Marked one by one, so that what was issued later in the same millisecond is told from what was issued before, and
      // what was issued before the clock was moved back goes too.
      this.#store.run(
        'UPDATE token SET revoked = 1 WHERE identity = ? AND issued_at <= ?',
        identity.id,
        validFrom ?? Number.MAX_SAFE_INTEGER,
      )
    })
  }

  delete(identity: IdentityRow): void {
    this.#store.transaction(() => {
      this.#store.run('DELETE FROM token WHERE identity = ?', identity.id)
      this.#store.run('DELETE FROM identity WHERE id = ?', identity.id)
    })
  }

  introspect(token: string): Introspection {
    const claims = this.#signer.verify(token)
    if (!claims) return { state: 'foreign' }
    const communicationUserId = `8:${claims.skypeid}`
    const parsed = parseCommunicationUserId(communicationUserId)
    const resource = this.#store.get<ResourceRow>('SELECT * FROM resource WHERE immutable_id = ?', claims.resourceId)
    // Emulators of one user share a signing key: this one may be of another.
    if (!resource) return { state: 'foreign' }
    return {
      communicationUserId,
      scopes: claims.acsScope.split(','),
      issuedAt: new Date(claims.iat * 1000),
      expiresOn: new Date(claims.exp * 1000),
      resource: resource.name,
      ...(parsed ? this.#introspectIdentity(parsed, claims) : this.#introspectTeamsUser(claims)),
    }
  }

  #introspectIdentity({ counter, tail }: { counter: number; tail: string }, { iat, exp, acsScope }: AccessTokenClaims) {
    const identity = this.#store.get<IdentityRow>('SELECT * FROM identity WHERE id = ?', counter)
    if (identity?.tail !== tail) return { state: 'deleted' as const }
    const row = this.#findToken(counter, iat, exp, acsScope)
    // Of a living identity only those tokens are forgotten that expired long ago.
    return row ? this.#stateOf(row) : { state: 'expired' as const }
  }

  /** Nothing is kept of these: they end with the Entra ID token that they were exchanged for. */
  #introspectTeamsUser({ exp }: AccessTokenClaims): { state: TokenState } {
    return { state: exp * 1000 <= this.#clock.now() ? 'expired' : 'valid' }
  }

  list({ after, limit = 1000 }: { after?: string; limit?: number }): ListedIdentity[] {
    const rows = this.#store.all<IdentityRow & Omit<ResourceRow, 'id'>>(
      `SELECT resource.*, identity.* FROM identity JOIN resource ON resource.id = identity.resource
       WHERE identity.id > ? ORDER BY identity.id LIMIT ?`,
      (after !== undefined && parseCommunicationUserId(after)?.counter) || 0,
      limit,
    )
    return rows.map((row) => {
      const lastTokenIssuedAt = this.lastTokenIssuedAt(row)
      return {
        communicationUserId: formatCommunicationUserId(row.immutable_id, row.id, row.tail),
        resource: row.name,
        ...(row.custom_id !== null && { customId: row.custom_id }),
        createdAt: new Date(row.created_at),
        ...(lastTokenIssuedAt !== undefined && { lastTokenIssuedAt: new Date(lastTokenIssuedAt) }),
      }
    })
  }

  /** The text of a token is not kept: it is signed once more where it is asked for. */
  listTokens(query: { communicationUserId?: string; reveal?: boolean }): Promise<ListedToken[]> {
    const counter = query.communicationUserId && (parseCommunicationUserId(query.communicationUserId)?.counter ?? 0)
    const rows = this.#store.all<TokenRow & Pick<IdentityRow, 'tail'> & ResourceRow>(
      `SELECT resource.*, identity.tail, token.* FROM token JOIN identity ON identity.id = token.identity
       JOIN resource ON resource.id = identity.resource
       WHERE ? IS NULL OR token.identity = ? ORDER BY token.issued_at, token.identity, token.iat`,
      counter ?? null,
      counter ?? null,
    )
    const tokens = rows.map(async (row) => {
      const communicationUserId = formatCommunicationUserId(row.immutable_id, row.identity, row.tail)
      const { scopes, iat, exp, immutable_id: resourceGuid, data_location: dataLocation } = row
      return {
        communicationUserId,
        scopes: scopes.split(','),
        issuedAt: new Date(row.issued_at),
        expiresOn: new Date(exp * 1000),
        resource: row.name,
        ...this.#stateOf(row),
        ...(query.reveal && {
          token: await this.#signer.sign({ communicationUserId, scopes, resourceGuid, dataLocation, iat, exp }),
        }),
      }
    })
    return Promise.all(tokens)
  }

  /** Forgets all identities and tokens. */
  clear(): void {
    this.#store.transaction(() => {
      this.#store.run('DELETE FROM token')
      this.#store.run('DELETE FROM identity')
    })
  }

  #stateOf(row: TokenRow): { state: TokenState; accessKey?: AccessKey['slot'] } {
    const key = this.#store.get<AccessKeyRow>('SELECT * FROM access_key WHERE id = ?', row.access_key)
    const isExpired = row.exp * 1000 <= this.#clock.now()
    return {
      state: !this.#isLive(row) ? 'revoked' : isExpired ? 'expired' : 'valid',
      ...(key && { accessKey: key.slot }),
    }
  }

  #findToken(identity: number, iat: number, exp: number, scopes: string): TokenRow | undefined {
    return this.#store.get<TokenRow>(
      'SELECT * FROM token WHERE identity = ? AND iat = ? AND exp = ? AND scopes = ?',
      identity,
      iat,
      exp,
      scopes,
    )
  }

  /** Forgets what expired long ago, but for the last token of each identity, which tells when that was. */
  #prune(): void {
    this.#store.run(
      `DELETE FROM token WHERE exp < ? AND EXISTS
       (SELECT 1 FROM token AS later WHERE later.identity = token.identity AND later.issued_at > token.issued_at)`,
      Math.floor((this.#clock.now() - keepExpiredMs) / 1000),
    )
  }

  /** Neither revoked nor minted with a key that is gone; it may have expired. */
  #isLive(row: TokenRow): boolean {
    if (row.revoked) return false
    if (row.access_key === 0) return true
    return this.#store.get('SELECT id FROM access_key WHERE id = ?', row.access_key) !== undefined
  }
}
