import { hash } from 'node:crypto'
import { toUserKey } from '@acs-kit/service-settings/mapping-row'
import type { TableClient, TransactionAction } from '@azure/data-tables'

export const resourceId = '11111111-2222-4333-8444-555555555555'
const transactionLimit = 100
const journalShare = 1000

/** Writes rows like the service's: users in all partitions, some with revoked tokens, and a journal. Returns their number. */
export async function populate(client: TableClient, count: number): Promise<number> {
  await client.createTable()
  const users = Array.from({ length: count }, (_, index) => createUser(index))
  const journal = Array.from({ length: Math.ceil(count / journalShare) }, (_, index) => createEntry(index))
  const rows = [...users, ...journal]
  for (const partition of Object.values(Object.groupBy(rows, ({ partitionKey }) => partitionKey))) {
    const actions = partition!.map((row): TransactionAction => ['create', row])
    for (let start = 0; start < actions.length; start += transactionLimit) {
      await client.submitTransaction(actions.slice(start, start + transactionLimit))
    }
  }
  return rows.length
}

/** Hash of all rows with their types, without the properties that the table assigns. Throws if a key occurs twice. */
export async function hashRows(client: TableClient): Promise<{ readonly count: number; readonly digest: string }> {
  const rows = new Map<string, string>()
  let count = 0
  for await (const stored of client.listEntities({ disableTypeConversion: true })) {
    const { etag: _, timestamp: __, ...row } = stored
    const entries = Object.entries(row).toSorted(([one], [other]) => (one < other ? -1 : 1))
    rows.set(`${stored.partitionKey} ${stored.rowKey}`, JSON.stringify(entries))
    count++
  }
  if (rows.size !== count) throw new Error(`the table lists ${count - rows.size} rows twice`)
  return { count, digest: hash('sha256', [...rows.values()].toSorted().join('\n')) }
}

function createUser(index: number) {
  const issuer = 'https://sign-in.example'
  const subject = `user "${index}" ü`
  const rowKey = toUserKey('oidc', issuer, subject)
  const date = { type: 'DateTime', value: `2026-11-26T08:30:00.${String(index % 1e7).padStart(7, '0')}Z` } as const
  return {
    partitionKey: Buffer.from(rowKey.slice(0, 2), 'base64url').toString('hex'),
    rowKey,
    issuer,
    subject,
    communicationUserId: `8:acs:${resourceId}_${index}`,
    resourceId,
    createdOn: date,
    ...(index % 10 === 0 && { tokensValidFrom: date }),
    epoch: `epoch-${index}`,
    intentId: `intent-${index}`,
  }
}

function createEntry(index: number) {
  const writtenOn = new Date(index)
  return { partitionKey: 'journal', rowKey: `entry-${index}`, kind: 'create', userKey: `user-${index}`, writtenOn }
}
