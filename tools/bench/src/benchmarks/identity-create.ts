import { AzuriteProcess } from '../azurite-process.ts'
import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { createFigure, type Figure } from '../figure.ts'
import { measureRate } from '../load.ts'
import { measureByTurns } from '../rounds.ts'
import { signedHeaders } from '@acs-kit/test-support/signed-request'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { trustAuthority } from '@acs-kit/test-support/trust'

const path = '/identities?api-version=2023-10-01'

/** Creating an identity, beside inserting a row into Azurite: both keep one small row in memory, over HTTPS. */
export async function benchmarkIdentityCreate(): Promise<Figure[]> {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  trustAuthority(emulator.ca)
  await using azurite = await AzuriteProcess.start(keys.path)
  const { host, endpoint } = emulator
  const accessKey = emulator.accessKey!
  const create = (seconds: number) => {
    const headers = signedHeaders({ method: 'POST', path, host, accessKey })
    return measureRate(endpoint, [{ method: 'POST', path, headers }], seconds)
  }
  let row = 0
  const insert = (seconds: number) => {
    const { origin, pathname, search } = azurite.insertUrl
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
  const { subject, reference } = await measureByTurns(
    5,
    () => create(2),
    () => insert(2),
  )
  return [
    createFigure(
      {
        name: 'identities created',
        value: subject,
        unit: '/s',
        reference: { name: 'rows inserted into Azurite', value: reference },
      },
      { of: 'ratio', is: 'at least', limit: 3 },
    ),
  ]
}
