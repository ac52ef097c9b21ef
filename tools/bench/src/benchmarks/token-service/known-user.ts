import { hash, randomUUID } from 'node:crypto'
import { Backend } from '@acs-kit/local-stack/backend'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { TableClient, type TransactionAction } from '@azure/data-tables'
import { compare } from '../../interleaved.ts'
import { measureRate } from '../../load.ts'
import type { Measurement } from '../../measurement.ts'
import { unlimited } from './token-requests.ts'

const few = 10_000
const many = 100_000
const transactionLimit = 100

/** Look-up of a user who is not cached, which is one point read of the table, in a large and a small table. */
export async function benchmarkKnownUser(): Promise<Measurement[]> {
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  const prepare = async (users: number) => {
    const table = `users${users}`
    await populate(backend, table, users)
    const { url } = await backend.startService({ IDENTITY_STORE_TABLE: table })
    // Spread over all rows, in whatever order the table keeps them.
    const subjects = Array.from({ length: 200 }, (_, index) => `user-${Math.floor((index * users) / 200)}`)
    const tokens = await Promise.all(subjects.map((sub) => backend.issuer.sign({ sub })))
    const requests = tokens.map((token) => ({
      method: 'GET' as const,
      path: '/v1/identity',
      headers: { authorization: `Bearer ${token}` },
    }))
    const measure = async () => 1000 / (await measureRate(url, requests, 3, 1))
    await measure()
    return measure
  }
  return [
    await compare({
      name: `identity of a user among ${many}`,
      unit: 'ms',
      measure: await prepare(many),
      reference: { name: `among ${few}`, measure: await prepare(few) },
      goal: { of: 'ratio', is: 'below', limit: 1.3 },
    }),
  ]
}

/** Writes rows like the service's, one partition after the other. */
async function populate({ azurite, issuer }: Backend<EmulatorProcess>, table: string, users: number): Promise<void> {
  const client = TableClient.fromConnectionString(azurite.connectionString, table, { allowInsecureConnection: true })
  await client.createTable()
  const rows = Array.from({ length: users }, (_, user) => createRow(issuer.issuer, `user-${user}`))
  for (const partition of Object.values(Object.groupBy(rows, ({ partitionKey }) => partitionKey))) {
    const actions = partition!.map((row): TransactionAction => ['create', row])
    for (let start = 0; start < actions.length; start += transactionLimit) {
      await client.submitTransaction(actions.slice(start, start + transactionLimit))
    }
  }
}

function createRow(issuer: string, subject: string) {
  const key = hash('sha256', JSON.stringify(['oidc', issuer, subject]), 'buffer')
  const resourceId = '11111111-2222-4333-8444-555555555555'
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
