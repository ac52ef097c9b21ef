import { readFile } from 'node:fs/promises'
import type { BlockBlobClient, RestError } from '@azure/storage-blob'
import type { ArmClient, ArmResponse } from './arm-client.ts'
import { isAsset, type Values } from './struct-values.ts'

/** Version of the requests for an account's endpoint and keys. */
const apiVersion = '2024-01-01'
const idPattern =
  /^(?<account>\/subscriptions\/[^/]+\/resourceGroups\/(?<resourceGroupName>[^/]+)\/.+\/(?<accountName>[^/]+))\/blobServices\/default\/containers\/(?<containerName>[^/]+)\/blobs\/(?<blobName>.+)$/i

interface BlobProperties {
  readonly type?: string
  readonly source?: unknown
  readonly contentType?: string
  readonly contentMd5?: string
  readonly metadata?: Record<string, string>
  readonly accessTier?: string
}

/**
 * Writes, reads and deletes blobs with the key of their account, as azure-native does, and responds like a resource manager.
 * azure-native derives the address from the account's name; this class reads it, because emulated accounts share a service.
 */
export class BlobClient {
  readonly #arm: ArmClient

  constructor(arm: ArmClient) {
    this.#arm = arm
  }

  /** Resolves with status 404 for a missing blob or account. Other errors reject with the text of the service. */
  async call(method: 'GET' | 'PUT' | 'DELETE', id: string, _: unknown, body: Values = {}): Promise<ArmResponse> {
    const names = idPattern.exec(id)!.groups!
    const client = await this.#open(names)
    if (!client && method === 'PUT') throw new Error(`the storage account ${names['accountName']} does not exist`)
    if (!client) return { status: 404, body: {} }
    try {
      if (method === 'DELETE') await client.delete({ deleteSnapshots: 'include' })
      else if (method === 'PUT') await write(client, body['properties'] as BlobProperties)
      return { status: 200, body: method === 'DELETE' ? {} : await read(client, names) }
    } catch (error) {
      if ((error as RestError).statusCode === 404 && method !== 'PUT') return { status: 404, body: {} }
      throw toError(error as RestError, client.url)
    }
  }

  /** Returns undefined if the account does not exist. */
  async #open({ account, accountName, containerName, blobName }: Readonly<Record<string, string>>) {
    const { status, body } = await this.#arm.call('GET', account!, apiVersion)
    if (status === 404) return undefined
    const { primaryEndpoints } = body['properties'] as { primaryEndpoints: { blob: string } }
    const listed = await this.#arm.call('POST', `${account}/listKeys`, apiVersion)
    const [key] = listed.body['keys'] as [{ value: string }]
    // Not loaded by runs without blobs.
    const sdk = await import('@azure/storage-blob')
    // Azurite's addresses contain the name of its account.
    const [, signedName] = new URL(primaryEndpoints.blob).pathname.split('/')
    const credential = new sdk.StorageSharedKeyCredential(signedName || accountName!, key.value)
    const url = `${primaryEndpoints.blob}${containerName}/${blobName}`
    return new sdk.BlockBlobClient(url, credential, { retryOptions: { maxTries: 1 } })
  }
}

/** Uploads a blob, or updates what can change: another content replaces the resource. */
async function write(client: BlockBlobClient, properties: BlobProperties): Promise<void> {
  const { type, source, contentType, contentMd5, metadata, accessTier } = properties
  if (type !== 'Block')
    throw new Error(`the stand-in provider does not support blobs of type ${type}: set the type to Block`)
  if (!(await client.exists())) {
    const content = await readAsset(source)
    await client.upload(content, content.length, {
      blobHTTPHeaders: {
        ...(contentType !== undefined && { blobContentType: contentType }),
        ...(contentMd5 !== undefined && { blobContentMD5: Buffer.from(contentMd5, 'base64') }),
      },
      ...(metadata && { metadata }),
    })
  } else {
    if (contentType !== undefined) await client.setHTTPHeaders({ blobContentType: contentType })
    if (metadata && Object.keys(metadata).length > 0) await client.setMetadata(metadata)
  }
  if (accessTier !== undefined) await client.setAccessTier(accessTier)
}

async function read(client: BlockBlobClient, names: Readonly<Record<string, string>>): Promise<ArmResponse['body']> {
  const { contentMD5 = [], contentType, metadata, blobType, accessTier } = await client.getProperties()
  const { account: _, ...parameters } = names
  return {
    ...parameters,
    name: names['blobName'],
    url: client.url,
    type: blobType!.replace(/Blob$/, ''),
    contentMd5: Buffer.from(contentMD5).toString('base64'),
    contentType,
    metadata,
    accessTier,
  }
}

async function readAsset(source: unknown): Promise<Buffer> {
  if (source === undefined) return Buffer.alloc(0)
  if (isAsset(source) && source.path) return readFile(source.path)
  if (isAsset(source) && source.text !== undefined) return Buffer.from(source.text)
  throw new Error('the stand-in provider uploads only a FileAsset or StringAsset: correct the source of the blob')
}

function toError(error: RestError, url: string): Error {
  const { statusCode, code, message, name } = error
  if (name !== 'RestError') return error
  if (statusCode !== undefined) return new Error(`Status=${statusCode} Code="${code}" Message="${message}"`)
  const remedy = 'the emulator needs a blob service, or set deployPackage to false'
  return new Error(`no response from ${url} (${message}): ${remedy}`, { cause: error })
}
