import { fileURLToPath } from 'node:url'
import { Azurite } from '@acs-kit/test-support/azurite'
import { createUser, populate } from '@acs-kit/test-support/mapping-rows'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { TableClient } from '@azure/data-tables'
import { compare } from '../../interleaved.ts'
import type { Measurement } from '../../measurement.ts'

const users = 50_000
const rounds = 3
const script = fileURLToPath(import.meta.resolve('./transfer.ts'))

/** Export and import of a table in Azurite, each next to the simplest loop with Azure's SDK. */
export async function benchmarkTransferRate(): Promise<Measurement[]> {
  using folder = new TemporaryFolder()
  await using azurite = await Azurite.start()
  const path = folder.join('mappings.ndjson')
  const { connectionString } = azurite
  const client = TableClient.fromConnectionString(connectionString, 'source', { allowInsecureConnection: true })
  const rows = Array.from({ length: users }, (_, user) => createUser('https://sign-in.example', `user-${user}`))
  await populate(client, rows)
  let tables = 0
  const transfer = async (name: string, table: string) => {
    await using child = ServerProcess.launch({ script, args: [name, connectionString, table, path] })
    if ((await child.exit()) !== 0) throw new Error(`${name} failed: ${child.stderr}`)
    return Number(child.stdout)
  }
  return [
    await compare({
      name: 'rows exported',
      unit: '/s',
      rounds,
      measure: () => transfer('export', 'source'),
      reference: { name: 'a loop over listEntities', measure: () => transfer('list', 'source') },
      goal: { of: 'ratio', is: 'at least', limit: 0.8 },
    }),
    await compare({
      name: 'rows imported',
      unit: '/s',
      rounds,
      measure: () => transfer('import', `target${tables++}`),
      reference: { name: 'a loop of createEntity', measure: () => transfer('create', `target${tables++}`) },
      goal: { of: 'ratio', is: 'at least', limit: 3 },
    }),
  ]
}
