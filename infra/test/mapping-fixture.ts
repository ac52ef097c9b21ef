import { startEmulator, type Emulator } from '@acs-kit/communication-emulator'
import { Azurite } from '@acs-kit/test-support/azurite'
import { resourceId } from '@acs-kit/test-support/mapping-rows'
import { stackEnvironment } from '@acs-kit/test-support/stack-environment'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { TableClient, type TableEntity } from '@azure/data-tables'
import { runCommand } from './run-command.ts'

/** Azurite with Entra ID, and stacks whose mapping table is in it. */
export class MappingFixture implements AsyncDisposable {
  readonly #emulator: Emulator
  readonly azurite: Azurite

  private constructor(emulator: Emulator, azurite: Azurite) {
    this.#emulator = emulator
    this.azurite = azurite
  }

  static async start(): Promise<MappingFixture> {
    await using parts = new AsyncDisposableStack()
    const emulator = parts.use(await startEmulator())
    const azurite = parts.use(await Azurite.start({ tls: emulator.tlsFiles, oauth: true }))
    parts.move()
    return new MappingFixture(emulator, azurite)
  }

  /** Runs the command for a stack with this table, as npm does in a folder. */
  run(table: string, folder: string, ...args: string[]) {
    return this.runWith(this.outputs(table), folder, ...args)
  }

  /** Runs the command for a stack with these outputs. */
  runWith(outputs: object, folder: string, ...args: string[]) {
    const env = stackEnvironment(temporaryFolder(), this.#emulator, outputs)
    return runCommand('mappings', args, { ...env, INIT_CWD: folder })
  }

  outputs(table: string) {
    return { mappingTableEndpoint: this.azurite.endpoint, mappingTable: table, resourceId: resourceId.toUpperCase() }
  }

  client(table: string): TableClient {
    return TableClient.fromConnectionString(this.azurite.connectionString, table)
  }

  async createTable(name: string, rows: readonly TableEntity<object>[]): Promise<TableClient> {
    const client = this.client(name)
    await client.createTable()
    for (const row of rows) await client.createEntity(row)
    return client
  }

  /** All rows with their types, without what the table assigns. */
  async rows(table: string): Promise<object[]> {
    const rows = await Array.fromAsync(this.client(table).listEntities({ disableTypeConversion: true }))
    return rows.map((stored) => {
      const { etag: _, timestamp: __, ...row } = stored
      return row
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.azurite[Symbol.asyncDispose]()
    await this.#emulator[Symbol.asyncDispose]()
  }
}
