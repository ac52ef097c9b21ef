import { randomUUID } from 'node:crypto'
import {
  findInvalidColumn,
  getResourceId,
  parseJson,
  toRowKeys,
  userColumns,
  userRows,
} from '@acs-kit/service-settings'
import { odata, type TableClient, type TableEntityResult } from '@azure/data-tables'
import { ProblemError } from '../problems/problem-error.ts'
import type { Principal } from '../sign-in/principal.ts'
import { rowExists, rowStale, scanDeadlineMs, type Table } from './table.ts'

/** A user and their communication identity. */
export interface UserIdentity {
  readonly userKey: string
  readonly issuer: string
  readonly subject: string
  readonly communicationUserId: string
  readonly createdOn: Date
  readonly tokensValidFrom?: Date | undefined
  /** Replaced at each revocation, which invalidates tokens issued under another epoch. Does not depend on clocks. */
  readonly epoch: string
  /** Id of the journal entry that announced its creation. */
  readonly intentId: string
}

interface Row extends Omit<UserIdentity, 'userKey'> {
  /** Immutable id of the resource that the identity belongs to. */
  readonly resourceId: string
}

/** Codes with which Azure rejects a cursor that it did not issue. */
const cursorInvalid = ['InvalidInput', 'InvalidQueryParameterValue', 'OutOfRangeInput']

export interface Page {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly subject?: string | undefined
}

interface UserPage {
  readonly users: UserIdentity[]
  /** Keys of rows that are not valid. */
  readonly invalidKeys: string[]
  readonly cursor?: string
}

export type IdentityStore = ReturnType<typeof createIdentityStore>

/** Maps users to identities. */
export function createIdentityStore(table: Table, now: () => number) {
  async function find(userKey: string): Promise<UserIdentity | undefined> {
    const row = await read(userKey)
    const invalid = row && findInvalidColumn(row, userColumns)
    if (invalid === undefined) return row && toIdentity(row)
    const remedy = `An administrator needs to correct or delete the row ${userKey} of the mapping table.`
    throw new ProblemError('internal-error', `The stored identity has an invalid ${invalid}. ${remedy}`)
  }

  /** Returns undefined if the user already has an identity, which stays. */
  async function insert(
    { userKey, issuer, subject }: Principal,
    communicationUserId: string,
    intentId: string,
  ): Promise<UserIdentity | undefined> {
    const row: Row = {
      issuer,
      subject,
      communicationUserId,
      resourceId: getResourceId(communicationUserId),
      createdOn: new Date(now()),
      epoch: randomUUID(),
      intentId,
    }
    const inserted = await table.runUnless('insert user', rowExists, (client, abortSignal) =>
      client.createEntity({ ...toRowKeys(userKey), ...row }, { abortSignal }),
    )
    return inserted && { userKey, ...row }
  }

  /** Does nothing if the user has no identity or another one. */
  async function markRevoked(userKey: string, communicationUserId: string): Promise<void> {
    await change('mark user as revoked', userKey, communicationUserId, (client, options) => {
      const changes = { tokensValidFrom: new Date(now()), epoch: randomUUID() }
      return client.updateEntity({ ...toRowKeys(userKey), ...changes }, 'Merge', options)
    })
  }

  /** Does nothing if the user has no identity or another one. */
  async function remove(userKey: string, communicationUserId: string): Promise<void> {
    const { partitionKey, rowKey } = toRowKeys(userKey)
    await change('remove user', userKey, communicationUserId, (client, options) =>
      client.deleteEntity(partitionKey, rowKey, options),
    )
  }

  /** Lists users in no particular order. Pages before the last one may be short, even empty. */
  async function list({ limit, cursor, subject }: Page): Promise<UserPage> {
    const filter = subject === undefined ? userRows : userRows + odata` and subject eq ${subject}`
    if (cursor !== undefined && !isCursor(cursor)) throw unknownCursor()
    const listed = await table.runUnless(
      'list users',
      cursor === undefined ? [] : cursorInvalid,
      async (client, abortSignal) => {
        const pages = client
          .listEntities<Row>({ queryOptions: { filter }, abortSignal })
          .byPage({ maxPageSize: limit, ...(cursor !== undefined && { continuationToken: cursor }) })
        const { value: page } = await pages.next()
        const next = page?.continuationToken
        const users: UserIdentity[] = []
        const invalidKeys: string[] = []
        for (const row of page ?? []) {
          if (findInvalidColumn(row, userColumns) === undefined) users.push(toIdentity(row))
          else invalidKeys.push(row.rowKey)
        }
        return { users, invalidKeys, ...(next && { cursor: next }) }
      },
      scanDeadlineMs,
    )
    if (!listed) throw unknownCursor()
    return listed
  }

  async function change(
    name: string,
    userKey: string,
    communicationUserId: string,
    operation: (client: TableClient, options: { etag: string; abortSignal: AbortSignal }) => Promise<unknown>,
  ): Promise<void> {
    for (;;) {
      const row = await read(userKey)
      if (row?.communicationUserId !== communicationUserId) return
      const { etag } = row
      const changed = await table.runUnless(name, rowStale, (client, abortSignal) =>
        operation(client, { etag, abortSignal }),
      )
      if (changed) return
    }
  }

  function read(userKey: string) {
    const { partitionKey, rowKey } = toRowKeys(userKey)
    return table.find<Row>('find user', partitionKey, rowKey)
  }

  return { find, insert, markRevoked, remove, list }
}

function unknownCursor(): ProblemError {
  return new ProblemError('request-invalid', 'Unknown cursor. Use the cursor of the previous page.')
}

/** Whether the table's client can parse the cursor. */
function isCursor(text: string): boolean {
  const value = parseJson(Buffer.from(text, 'base64').toString())
  return typeof value === 'object' && value !== null
}

function toIdentity(row: TableEntityResult<Row>): UserIdentity {
  const { rowKey, issuer, subject, communicationUserId, createdOn, tokensValidFrom, epoch, intentId } = row
  return { userKey: rowKey!, issuer, subject, communicationUserId, createdOn, tokensValidFrom, epoch, intentId }
}
