import { Backend } from '@acs-kit/local-stack/backend'
import { createUser, populate } from '@acs-kit/test-support/mapping-rows'
import { TableClient } from '@azure/data-tables'
import { compare } from '../../interleaved.ts'
import { measureRate } from '../../load.ts'
import type { Measurement } from '../../measurement.ts'
import { unlimited } from './token-requests.ts'

const few = 10_000
const many = 100_000

/** Look-up of a user who is not cached, which is one point read of the table, in a large and a small table. */
export async function benchmarkKnownUser(): Promise<Measurement[]> {
  await using backend = await Backend.start({ emulator: 'process', settings: unlimited })
  const prepare = async (users: number) => {
    const table = `users${users}`
    const { connectionString } = backend.azurite
    const client = TableClient.fromConnectionString(connectionString, table, { allowInsecureConnection: true })
    const { issuer } = backend.issuer
    const rows = Array.from({ length: users }, (_, user) => createUser(issuer, `user-${user}`))
    await populate(client, rows)
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
