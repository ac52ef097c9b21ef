import { hash, randomUUID } from 'node:crypto'
import type { TableClient, TransactionAction } from '@azure/data-tables'

export const resourceId = '11111111-2222-4333-8444-555555555555'
const transactionLimit = 100

/** Writes rows like the service's, one partition after the other. */
export async function populate(client: TableClient, issuer: string, users: number): Promise<void> {
  await client.createTable()
  const rows = Array.from({ length: users }, (_, user) => createRow(issuer, `user-${user}`))
  for (const partition of Object.values(Object.groupBy(rows, ({ partitionKey }) => partitionKey))) {
    const actions = partition!.map((row): TransactionAction => ['create', row])
    for (let start = 0; start < actions.length; start += transactionLimit) {
      await client.submitTransaction(actions.slice(start, start + transactionLimit))
    }
  }
}

export function createRow(issuer: string, subject: string) {
  const key = hash('sha256', JSON.stringify(['oidc', issuer, subject]), 'buffer')
  return {
    partitionKey: key.toString('hex', 0, 1),
    rowKey: key.toString('base64url'),
    issuer,
    subject,
    communicationUserId: `8:acs:${resourceId}_${randomUUID()}`,
    resourceId,
    createdOn: new Date(),
    epoch: randomUUID(),
    intentId: randomUUID(),
  }
}
