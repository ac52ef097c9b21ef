import { createHash, randomUUID } from 'node:crypto'
import { AzureNamedKeyCredential, TableClient, type TransactionAction } from '@azure/data-tables'
import { Azurite } from '@acs-kit/test-support/azurite'
import { createFigure, type Figure } from '../../figure.ts'
import { measureRate } from '../../load.ts'
import { measureByTurns } from '../../rounds.ts'
import { TokenServiceStack } from '@acs-kit/local-stack/token-service-stack'

const few = 10_000
const many = 100_000
const transactionLimit = 100

/** Finding a user whom the instance has not cached among all that there are: one point read of the table. */
export async function benchmarkKnownUser(): Promise<Figure[]> {
  await using stack = await TokenServiceStack.start()
  const measure = async (users: number) => {
    const table = `users${users}`
    await populate(stack, table, users)
    const { address } = await stack.startService({ IDENTITY_STORE_TABLE: table })
    // Spread over all, whatever order the table keeps.
    const subjects = Array.from({ length: 200 }, (_, index) => `user-${Math.floor((index * users) / 200)}`)
    const tokens = await Promise.all(subjects.map((sub) => stack.issuer.sign({ sub })))
    const requests = tokens.map((token) => ({
      method: 'GET' as const,
      path: '/v1/identity',
      headers: { authorization: `Bearer ${token}` },
    }))
    return async () => 1000 / (await measureRate(address, requests, 3, 1))
  }
  const lookUpAmongMany = await measure(many)
  const lookUpAmongFew = await measure(few)
  await lookUpAmongMany()
  await lookUpAmongFew()
  const { subject, reference } = await measureByTurns(5, lookUpAmongMany, lookUpAmongFew)
  return [
    createFigure(
      {
        name: `identity of a user among ${many}`,
        value: subject,
        unit: 'ms',
        reference: { name: `among ${few}`, value: reference },
      },
      { of: 'ratio', is: 'below', limit: 1.3 },
    ),
  ]
}

/** Writes rows as the service writes them, a partition at a time. */
async function populate({ azurite, issuer }: TokenServiceStack, table: string, users: number): Promise<void> {
  const credential = new AzureNamedKeyCredential(Azurite.account, Azurite.accountKey)
  const client = new TableClient(azurite.endpoint, table, credential, { allowInsecureConnection: true })
  await client.createTable()
  const rows = Array.from({ length: users }, (_, user) => rowOf(issuer.issuer, `user-${user}`))
  for (const partition of Object.values(Object.groupBy(rows, ({ partitionKey }) => partitionKey))) {
    const actions = partition!.map((row): TransactionAction => ['create', row])
    for (let start = 0; start < actions.length; start += transactionLimit) {
      await client.submitTransaction(actions.slice(start, start + transactionLimit))
    }
  }
}

function rowOf(issuer: string, subject: string) {
  const key = createHash('sha256')
    .update(JSON.stringify(['oidc', issuer, subject]))
    .digest()
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
