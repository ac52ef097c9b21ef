import type { Clock } from '../clock.ts'
import type { Resource } from '../resource.ts'
import type { IdentityRow, ResourceRow, Store } from '../store.ts'
import { createTail, formatCommunicationUserId, parseCommunicationUserId } from './communication-user-id.ts'
import { ServiceError } from './errors.ts'

/** An identity of one of the resources. */
export interface ListedIdentity {
  readonly communicationUserId: string
  /** Name of the resource. */
  readonly resource: string
  readonly customId?: string
  readonly createdAt: Date
  readonly lastTokenIssuedAt?: Date
}

export type Identities = ReturnType<typeof createIdentities>

/** The identities of all resources. */
export function createIdentities(store: Store, clock: Clock) {
  /** Returns a new identity, or the one that already has the custom id. */
  function create(resource: Resource, customId?: string): IdentityRow {
    if (customId !== undefined) {
      const sql = 'SELECT * FROM identity WHERE resource = ? AND custom_id = ?'
      const identity = store.get<IdentityRow>(sql, resource.id, customId)
      if (identity) return identity
    }
    return insert(resource, createTail(), customId)
  }

  /** Returns the identity of an Entra ID user, with the tail of its id. */
  function openForEntraUser(resource: Resource, tail: string): IdentityRow {
    return findEntraUser(resource.immutableId, tail) ?? insert(resource, tail)
  }

  function insert(resource: Resource, tail: string, customId: string | null = null): IdentityRow {
    const identity = { resource: resource.id, tail, custom_id: customId, created_at: clock.now() }
    const { id } = store.run(
      `INSERT INTO identity (resource, tail, custom_id, created_at)
       VALUES (:resource, :tail, :custom_id, :created_at)`,
      identity,
    )
    return { ...identity, id, tokens_valid_from: 0 }
  }

  /** Returns the identity with an id, of any resource and kind of user; undefined if it does not exist. */
  function lookUp(communicationUserId: string): IdentityRow | undefined {
    const parsed = parseCommunicationUserId(communicationUserId)
    if (!parsed) return undefined
    const { resourceGuid, counter, tail } = parsed
    if (counter === undefined) return findEntraUser(resourceGuid, tail)
    const row = store.get<IdentityRow>('SELECT * FROM identity WHERE id = ?', counter)
    return row?.tail === tail ? row : undefined
  }

  function findEntraUser(resourceGuid: string, tail: string): IdentityRow | undefined {
    return store.get<IdentityRow>(
      `SELECT identity.* FROM identity JOIN resource ON resource.id = identity.resource
       WHERE immutable_id = ? AND tail = ? AND instr(tail, '_')`,
      resourceGuid,
      tail,
    )
  }

  /** Returns an identity of the resource. Throws the service's error if it does not exist, or was deleted. */
  function find(resource: Resource, communicationUserId: string): IdentityRow {
    const row = lookUp(communicationUserId)
    // guess(entra-user-identities): the identity routes do not know Entra ID users.
    if (row && row.resource === resource.id && !row.tail.includes('_')) return row
    // guess(unknown-identity): the text is confirmed, status and code are not.
    throw new ServiceError(404, 'IdentityNotFound', "Provided identity doesn't exist.", { isFromAction: true })
  }

  // guess(deleted-user): chat keeps the threads and messages.
  function remove(identity: IdentityRow): void {
    store.transaction(() => {
      store.run('DELETE FROM token WHERE identity = ?', identity.id)
      store.run('DELETE FROM identity WHERE id = ?', identity.id)
    })
    store.onTokensRejected()
  }

  /** Lists identities, oldest first: those that follow `after`, at most `limit`, or only the `newest`. */
  function list(page: { after?: string; limit?: number; newest?: number }): ListedIdentity[] {
    const { after, newest, limit = newest ?? 1000 } = page
    const rows = store.all<IdentityRow & Omit<ResourceRow, 'id'> & { readonly last_token_issued_at: number | null }>(
      `SELECT resource.*, identity.*,
         (SELECT max(issued_at) FROM token WHERE token.identity = identity.id) AS last_token_issued_at
       FROM identity JOIN resource ON resource.id = identity.resource
       WHERE identity.id > ? ORDER BY identity.id ${newest === undefined ? '' : 'DESC'} LIMIT ?`,
      (after !== undefined && (parseCommunicationUserId(after)?.counter ?? lookUp(after)?.id)) || 0,
      limit,
    )
    return (newest === undefined ? rows : rows.toReversed()).map((row) => ({
      communicationUserId: formatCommunicationUserId(row.immutable_id, row.id, row.tail),
      resource: row.name,
      ...(row.custom_id !== null && { customId: row.custom_id }),
      createdAt: new Date(row.created_at),
      ...(row.last_token_issued_at !== null && { lastTokenIssuedAt: new Date(row.last_token_issued_at) }),
    }))
  }

  /** Deletes all identities with their tokens. */
  function clear(): void {
    store.transaction(() => {
      store.run('DELETE FROM token')
      store.run('DELETE FROM identity')
    })
    store.onTokensRejected()
  }

  return { create, openForEntraUser, find, lookUp, remove, list, clear }
}

/** Throws unless the id names the resource by its GUID. */
export function checkOwned(resource: Resource, communicationUserId: string): void {
  // guess(malformed-id): an id without a resource GUID belongs to no resource.
  if (parseCommunicationUserId(communicationUserId)?.resourceGuid === resource.immutableId) return
  const message = "Provided identity doesn't belong to the resource."
  throw new ServiceError(401, 'IdentityNotOwned', message, { isFromAction: true })
}
