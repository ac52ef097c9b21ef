// Transfers rows under the conditions of the command, or in a bare loop, and prints the rows per second.
import { rmSync } from 'node:fs'
import { exportMappings, ndjson } from '@acs-kit/infra/export-mappings'
import { importMappings } from '@acs-kit/infra/import-mappings'
import { createUser, resourceId } from '@acs-kit/test-support/mapping-rows'
import { TableClient } from '@azure/data-tables'

const [name, connectionString, table, path] = process.argv.slice(2) as [keyof typeof transfers, string, string, string]
const client = TableClient.fromConnectionString(connectionString, table, { allowInsecureConnection: true })
const mappings = { client, url: table, resourceId }
const log = { print: () => {}, update: () => {} }
const loopRows = 2000

const transfers = {
  async export() {
    rmSync(path, { force: true })
    return exportMappings({ table: mappings, format: ndjson, path, log })
  },
  async list() {
    let rows = 0
    for await (const _ of client.listEntities()) rows++
    return rows
  },
  async import() {
    const { inserted } = await importMappings({ table: mappings, path, isDryRun: false, log, onProblem: console.error })
    return inserted.users
  },
  async create() {
    await client.createTable()
    const rows = Array.from({ length: loopRows }, (_, index) => createUser('https://sign-in.example', `${index}`))
    for (const row of rows) await client.createEntity(row)
    return loopRows
  },
}

const start = performance.now()
const rows = await transfers[name]()
process.stdout.write(String((rows / (performance.now() - start)) * 1000))
