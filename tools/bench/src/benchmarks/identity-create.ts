import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { Azurite } from '@acs-kit/test-support/azurite'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { AzureNamedKeyCredential, generateTableSas, TableClient } from '@azure/data-tables'
import { compare } from '../interleaved.ts'
import { measureRate, signRequest } from '../load.ts'
import type { Measurement } from '../measurement.ts'

const path = '/identities?api-version=2023-10-01'
const table = 'bench'

/** Creation of identities, next to inserts into Azurite: both keep one small row in memory, over HTTPS. */
export async function benchmarkIdentityCreate(): Promise<Measurement[]> {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  const server = (name: string) => keys.join('server', name)
  await using azurite = await Azurite.start({
    tls: { certificate: server('server.pem'), privateKey: server('server-key.pem') },
  })
  const insertUrl = await createTable(azurite, emulator.ca)
  const create = (seconds: number) =>
    measureRate(emulator.endpoint, [signRequest(emulator, { method: 'POST', path })], seconds)
  let row = 0
  const insert = (seconds: number) => {
    const { origin, pathname, search } = insertUrl
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
      setupRequest: <Request extends object>(draft: Request) => ({
        ...draft,
        body: `{"PartitionKey":"bench","RowKey":"${row++}"}`,
      }),
    }
    return measureRate(origin, [request], seconds)
  }
  await create(1)
  await insert(1)
  return [
    await compare({
      name: 'identities created',
      unit: '/s',
      measure: () => create(2),
      reference: { name: 'rows inserted into Azurite', measure: () => insert(2) },
      goal: { of: 'ratio', is: 'at least', limit: 3 },
    }),
  ]
}

/** Returns a URL that accepts inserts without a signature for each. */
async function createTable({ endpoint }: Azurite, ca: string): Promise<URL> {
  const credential = new AzureNamedKeyCredential(Azurite.account, Azurite.accountKey)
  await new TableClient(endpoint, table, credential, { tlsOptions: { ca } }).createTable()
  const expiresOn = new Date(Date.now() + 60 * 60_000)
  return new URL(
    `${endpoint}/${table}?${generateTableSas(table, credential, { permissions: { add: true }, expiresOn })}`,
  )
}
