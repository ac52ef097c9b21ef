import { join } from 'node:path'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { Azurite } from '@acs-kit/test-support/azurite'
import { AzureNamedKeyCredential, generateTableSas, TableClient } from '@azure/data-tables'
import { measureRate } from '../load.ts'

const table = 'bench'

/** Inserts of rows into an Azurite that keeps them in memory, and that is reached over HTTPS with the emulator's certificate. */
export class AzuriteInserts implements AsyncDisposable {
  readonly #azurite: Azurite
  /** Accepts inserts without a signature for each. */
  readonly #url: URL
  readonly #content: string
  #rows = 0

  private constructor(azurite: Azurite, url: URL, content: string) {
    this.#azurite = azurite
    this.#url = url
    this.#content = content
  }

  /** Starts an Azurite. Each row has two keys, and a property with the content, if any. */
  static async start({ ca }: EmulatorProcess, keyFolder: string, content = ''): Promise<AzuriteInserts> {
    const tls = {
      certificate: join(keyFolder, 'server/server.pem'),
      privateKey: join(keyFolder, 'server/server-key.pem'),
    }
    const azurite = await Azurite.start({ tls })
    const credential = new AzureNamedKeyCredential(Azurite.account, Azurite.accountKey)
    await new TableClient(azurite.endpoint, table, credential, { tlsOptions: { ca } }).createTable()
    const expiresOn = new Date(Date.now() + 60 * 60_000)
    const signature = generateTableSas(table, credential, { permissions: { add: true }, expiresOn })
    return new AzuriteInserts(azurite, new URL(`${azurite.endpoint}/${table}?${signature}`), content)
  }

  /** Inserts rows for some seconds and returns inserts per second. */
  measureRate(seconds: number): Promise<number> {
    const { origin, pathname, search } = this.#url
    const request = {
      method: 'POST' as const,
      path: `${pathname}${search}`,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json;odata=nometadata',
        prefer: 'return-no-content',
        'x-ms-version': '2019-02-02',
        dataserviceversion: '3.0',
      },
      setupRequest: <Request extends object>(draft: Request) => ({ ...draft, body: this.#createRow() }),
    }
    return measureRate(origin, [request], seconds)
  }

  #createRow(): string {
    const content = this.#content === '' ? '' : `,"Content":"${this.#content}"`
    return `{"PartitionKey":"bench","RowKey":"${this.#rows++}"${content}}`
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#azurite[Symbol.asyncDispose]()
  }
}
