import { join } from 'node:path'
import { AzureNamedKeyCredential, generateTableSas, TableClient } from '@azure/data-tables'
import { Azurite } from '@acs-kit/test-support/azurite'

const table = 'bench'

/** Azurite's table service, in memory and over HTTPS, with one table. */
export class AzuriteProcess implements AsyncDisposable {
  readonly #azurite: Azurite
  /** Takes inserts: signed once, so that the load need not sign. */
  readonly insertUrl: URL

  private constructor(azurite: Azurite, insertUrl: URL) {
    this.#azurite = azurite
    this.insertUrl = insertUrl
  }

  /** The certificate is the emulator's, which this process must trust already. */
  static async start(keyFolder: string): Promise<AzuriteProcess> {
    const azurite = await Azurite.start({
      tls: {
        certificate: join(keyFolder, 'server/server.pem'),
        privateKey: join(keyFolder, 'server/server-key.pem'),
      },
    })
    const credential = new AzureNamedKeyCredential(Azurite.account, Azurite.accountKey)
    await new TableClient(azurite.endpoint, table, credential).createTable()
    const sas = generateTableSas(table, credential, {
      permissions: { add: true },
      expiresOn: new Date(Date.now() + 60 * 60_000),
    })
    return new AzuriteProcess(azurite, new URL(`${azurite.endpoint}/${table}?${sas}`))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#azurite[Symbol.asyncDispose]()
  }
}
