import { hash } from 'node:crypto'
import type { TableClient, TableEntity, TransactionAction } from '@azure/data-tables'

export const resourceId = '1b5d4e1c-7c3d-4c33-8f6a-0c9a3c1c8a11'
/** More precise than a `Date`. */
export const createdOn = { type: 'DateTime', value: '2026-11-26T08:30:00.1234567Z' } as const
const transactionLimit = 100

/** Creates a user's row like the service's. */
export function createUser(issuer: string, subject: string, key: readonly string[] = ['oidc', issuer, subject]) {
  const digest = hash('sha256', JSON.stringify(key), 'buffer')
  return {
    partitionKey: digest.toString('hex', 0, 1),
    rowKey: digest.toString('base64url'),
    issuer,
    subject,
    communicationUserId: `8:acs:${resourceId}_${digest.toString('hex', 0, 16)}`,
    resourceId,
    createdOn,
    epoch: 'c0ffee00-0000-4000-8000-000000000001',
    intentId: 'c0ffee00-0000-4000-8000-000000000002',
  }
}

/** Writes rows to a new table, one partition after the other. */
export async function populate(client: TableClient, rows: readonly TableEntity<object>[]): Promise<void> {
  await client.createTable()
  for (const partition of Object.values(Object.groupBy(rows, ({ partitionKey }) => partitionKey))) {
    const actions = partition!.map((row): TransactionAction => ['create', row])
    for (let start = 0; start < actions.length; start += transactionLimit) {
      await client.submitTransaction(actions.slice(start, start + transactionLimit))
    }
  }
}
