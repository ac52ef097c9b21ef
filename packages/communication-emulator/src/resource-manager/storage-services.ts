import type { EntraTokens } from '../entra/entra-tokens.ts'
import { wellKnownConfidentialClientId } from '../entra/tenant.ts'
import { ArmError } from './arm-error.ts'
import { isSame, type ResourceId } from './resource-id.ts'
import type { StoredResource } from './resource-types.ts'

/** Services behind all storage accounts, such as Azurite's. Both use HTTPS and accept the emulator's tokens. */
export interface StorageServices {
  /** Endpoint of a table service; default: accounts have no tables. */
  readonly tableEndpoint?: string
  /** Endpoint of a blob service; default: accounts have no blobs. */
  readonly blobEndpoint?: string
  /** Keys of the account that they serve, returned as the keys of each storage account. */
  readonly keys: readonly [key1: string, key2: string]
}

interface Owner {
  readonly storage: StorageServices | undefined
  resources(): readonly StoredResource[]
}

export type StorageBackend = ReturnType<typeof createStorageBackend>

/** Makes tables and containers of the resource manager exist in the services of its owner, if it has them. */
export function createStorageBackend(owner: Owner, tokens: EntraTokens) {
  async function send(service: 'table' | 'blob', method: string, path: string, body?: object): Promise<void> {
    const endpoint = owner.storage?.[`${service}Endpoint`]
    if (endpoint === undefined) return
    const { token } = await tokens.issueForApplication(wellKnownConfidentialClientId, 'https://storage.azure.com')
    const url = `${withSlash(endpoint)}${path}`
    const headers = {
      Authorization: `Bearer ${token}`,
      Accept: 'application/json;odata=nometadata',
      'x-ms-version': '2021-12-02',
      'x-ms-date': new Date().toUTCString(),
      ...(body && { 'Content-Type': 'application/json' }),
    }
    const response = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) }).catch(
      (cause: Error) => {
        throw unavailable(`${method} ${url} failed: ${cause.message}`)
      },
    )
    const text = await response.text()
    // The name exists already, or no longer.
    if (response.ok || response.status === (method === 'DELETE' ? 404 : 409)) return
    throw unavailable(`${method} ${url} responded with ${response.status}: ${text}`)
  }

  /** Whether an account has a resource with the type and name of another account's. */
  const isShared = ({ type, name }: ResourceId) =>
    owner.resources().some(({ id }) => isSame(id.type, type) && isSame(id.name, name))

  return {
    get services() {
      return owner.storage
    },
    createContainer: ({ name }: ResourceId) => send('blob', 'PUT', `${name}?restype=container`),
    createTable: ({ name }: ResourceId) => send('table', 'POST', 'Tables', { TableName: name }),
    // differs(shared-storage)
    deleteContainer: async (id: ResourceId) => {
      if (!isShared(id)) await send('blob', 'DELETE', `${id.name}?restype=container`)
    },
    deleteTable: async (id: ResourceId) => {
      if (!isShared(id)) await send('table', 'DELETE', `Tables('${id.name}')`)
    },
  }
}

/** Returns an endpoint in Azure's format. */
export function withSlash(endpoint: string): string {
  return endpoint.endsWith('/') ? endpoint : `${endpoint}/`
}

/** A conflict, because clients retry server errors for minutes. */
function unavailable(message: string): ArmError {
  return new ArmError(409, 'StorageServiceUnavailable', `The service behind the storage account: ${message}`)
}
