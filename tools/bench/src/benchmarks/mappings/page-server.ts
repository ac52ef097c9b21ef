import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { listenLocally, type LocalServer } from '@acs-kit/test-support/local-server'
import { createUser } from '@acs-kit/test-support/mapping-rows'

interface TlsFiles {
  readonly certificate: string
  readonly privateKey: string
}

const pageSize = 1000

/** Serves a table of any size like Azure Table Storage. Filling and listing it in Azurite would take minutes. */
export function startPageServer({ certificate, privateKey }: TlsFiles, rows: number): Promise<LocalServer> {
  const server = createServer(
    { cert: readFileSync(certificate), key: readFileSync(privateKey) },
    (request, response) => {
      const { searchParams } = new URL(request.url!, 'https://localhost')
      const start = Number(searchParams.get('NextRowKey') ?? 0)
      const next = start + pageSize
      const value = Array.from({ length: Math.min(pageSize, rows - start) }, (_, index) => toWireForm(start + index))
      response
        .writeHead(200, {
          'Content-Type': 'application/json;odata=minimalmetadata',
          ...(next < rows && {
            'x-ms-continuation-NextPartitionKey': 'a0',
            'x-ms-continuation-NextRowKey': String(next),
          }),
        })
        .end(JSON.stringify({ 'odata.metadata': 'https://localhost/$metadata#mappings', value }))
    },
  )
  return listenLocally(server)
}

function toWireForm(index: number): object {
  const { partitionKey, rowKey, createdOn, ...row } = createUser('https://sign-in.example', `user-${index}`)
  const date = createdOn.value
  return {
    'odata.etag': `W/"datetime'${date}'"`,
    PartitionKey: partitionKey,
    RowKey: rowKey,
    'Timestamp@odata.type': 'Edm.DateTime',
    Timestamp: date,
    'createdOn@odata.type': 'Edm.DateTime',
    createdOn: date,
    ...row,
  }
}
