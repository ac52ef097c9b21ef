import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AzureNamedKeyCredential, generateTableSas, TableClient } from '@azure/data-tables'
import { ServerProcess } from './server-process.ts'

// Azurite's published development account.
const account = 'devstoreaccount1'
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
const table = 'bench'

/** Azurite's table service, in memory and over HTTPS, with one table. */
export class AzuriteProcess implements AsyncDisposable {
  readonly #server: ServerProcess
  /** Takes inserts: signed once, so that the load need not sign. */
  readonly insertUrl: URL

  private constructor(server: ServerProcess, insertUrl: URL) {
    this.#server = server
    this.insertUrl = insertUrl
  }

  /** The certificate is the emulator's, which this process must trust already. */
  static async start(keyFolder: string): Promise<AzuriteProcess> {
    const root = dirname(fileURLToPath(import.meta.resolve('azurite/package.json')))
    const port = await findFreePort()
    const server = await ServerProcess.start({
      script: join(root, 'dist/src/table/main.js'),
      args: [
        ['--tablePort', String(port), '--inMemoryPersistence', '--silent', '--disableTelemetry'],
        ['--cert', join(keyFolder, 'server/server.pem'), '--key', join(keyFolder, 'server/server-key.pem')],
      ].flat(),
      ready: /successfully started/,
    })
    const endpoint = `https://127.0.0.1:${port}/${account}`
    const credential = new AzureNamedKeyCredential(account, accountKey)
    await new TableClient(endpoint, table, credential).createTable()
    const sas = generateTableSas(table, credential, {
      permissions: { add: true },
      expiresOn: new Date(Date.now() + 60 * 60_000),
    })
    return new AzuriteProcess(server, new URL(`${endpoint}/${table}?${sas}`))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }
}

/** Azurite takes port 0, but does not tell which one that became. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
