import { hash } from 'node:crypto'
import { createUser } from '@acs-kit/test-support/mapping-rows'
import type { TableClient } from '@azure/data-tables'

const journalShare = 1000

/** Creates rows like the service's: users in all partitions, some with revoked tokens, and a journal. */
export function createRows(count: number) {
  const users = Array.from({ length: count }, (_, index) => {
    const user = createUser('https://sign-in.example', `user "${index}" ü`)
    const date = { ...user.createdOn, value: `2026-11-26T08:30:00.${String(index % 1e7).padStart(7, '0')}Z` }
    return { ...user, createdOn: date, ...(index % 10 === 0 && { tokensValidFrom: date }) }
  })
  const journal = users.slice(0, Math.ceil(count / journalShare)).map(({ rowKey, createdOn }, index) => ({
    partitionKey: 'journal',
    rowKey: `c0ffee00-0000-4000-8000-${String(index).padStart(12, '0')}`,
    kind: 'create',
    userKey: rowKey,
    writtenOn: createdOn,
  }))
  return [...users, ...journal]
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
