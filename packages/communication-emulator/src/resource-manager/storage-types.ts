import { randomBytes } from 'node:crypto'
import { ArmError } from './arm-error.ts'
import { invalidContent } from './arm-request.ts'
import { requireLocation } from './location.ts'
import type { ActionContext, Envelope, GlobalName, ResourceType } from './resource-types.ts'
import { withSlash, type StorageBackend } from './storage-services.ts'

/** Types of the provider Microsoft.Storage. */
export function storageTypes(backend: StorageBackend): readonly ResourceType[] {
  const services = ['blobServices', 'tableServices'].map((name) => ({
    type: `Microsoft.Storage/storageAccounts/${name}`,
    listedApiVersion,
    isImplicit: true,
  }))
  return [storageAccount(backend), ...services, container(backend), table(backend)]
}

const listedApiVersion = '2024-01-01'

/** Member of an account that stores its keys; never shown. */
const keysMember = 'keys'

function storageAccount(backend: StorageBackend): ResourceType {
  return {
    type: 'Microsoft.Storage/storageAccounts',
    listedApiVersion,
    createdStatus: 200,
    globalName: accountName,
    pattern: /^[a-z\d]{3,24}$/,
    put(id, requested, before) {
      requireLocation(id, requested)
      const { sku, kind } = requested
      if (!sku || typeof kind !== 'string') throw invalidContent("'sku' and 'kind' are required.")
      if (before && isInZones(before) !== isInZones(requested)) throw conversionNotAllowed(requested)
      return { ...requested, [keysMember]: before?.[keysMember] }
    },
    show: ({ id, envelope }) => {
      const { [keysMember]: _, properties, ...shown } = envelope
      const primaryEndpoints = getEndpoints(id.name, backend)
      return { ...shown, properties: { allowSharedKeyAccess: true, ...properties, primaryEndpoints } }
    },
    actions: {
      // differs(account-migration)
      startaccountmigration({ body, resource: { envelope }, save }) {
        const { targetSkuName: name } = (body['properties'] ?? {}) as { readonly targetSkuName?: unknown }
        if (typeof name !== 'string') throw invalidContent("'targetSkuName' is required.")
        save({ ...envelope, sku: { ...(envelope['sku'] as object), name } })
        return { status: 200, body: {} }
      },
      listkeys: (context) => ({ status: 200, body: { keys: getServiceKeys(backend) ?? getKeys(context) } }),
      regeneratekey(context) {
        if (backend.services) {
          throw new ArmError(
            409,
            'OperationNotAllowed',
            'The services behind the account cannot regenerate their keys.',
          )
        }
        const { keyName } = context.body
        const keys = getKeys(context)
        if (!keys.some((key) => key.keyName === keyName)) throw invalidContent("'keyName' must be key1 or key2.")
        const renewed = keys.map((key) => (key.keyName === keyName ? createKey(key.keyName) : key))
        context.save({ ...context.resource.envelope, [keysMember]: renewed })
        return { status: 200, body: { keys: renewed } }
      },
    },
  }
}

/** Whether the copies of an account's data are in several zones. */
function isInZones({ sku }: Envelope): boolean {
  return /_(?:RA)?G?ZRS$/i.test(getSkuName(sku))
}

function getSkuName(sku: unknown): string {
  return String((sku as { readonly name?: unknown } | undefined)?.name)
}

/** guess(sku-conversion) */
function conversionNotAllowed({ sku }: Envelope): ArmError {
  const message = `Storage account type cannot be changed to ${getSkuName(sku)}.`
  return new ArmError(400, 'StorageAccountTypeConversionNotAllowed', message)
}

const accountName: GlobalName = {
  invalid: (name) => ({
    reason: 'AccountNameInvalid',
    message: `${name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only.`,
  }),
  taken: (name) => ({ reason: 'AlreadyExists', message: `The storage account named ${name} is already taken.` }),
  conflict: (name) =>
    new ArmError(409, 'StorageAccountAlreadyTaken', `The storage account named ${name} is already taken.`),
}

function container({ createContainer, deleteContainer }: StorageBackend): ResourceType {
  return {
    type: 'Microsoft.Storage/storageAccounts/blobServices/containers',
    listedApiVersion,
    pattern: /^[a-z\d](?:-?[a-z\d]){2,62}$/,
    missingError: () => new ArmError(404, 'ContainerNotFound', 'The specified container does not exist.'),
    put: (id, requested) => createContainer(id).then(() => requested),
    onDeleted: ({ id }) => deleteContainer(id),
  }
}

function table({ createTable, deleteTable }: StorageBackend): ResourceType {
  return {
    type: 'Microsoft.Storage/storageAccounts/tableServices/tables',
    listedApiVersion,
    createdStatus: 200,
    deletedStatus: 204,
    pattern: /^[A-Za-z][A-Za-z\d]{2,62}$/,
    // guess(table-not-found)
    missingError: () => new ArmError(404, 'TableNotFound', 'The table specified does not exist.'),
    put: (id, requested) => createTable(id).then(() => requested),
    show: ({ id, envelope }) => ({ ...envelope, properties: { ...envelope.properties, tableName: id.name } }),
    onDeleted: ({ id }) => deleteTable(id),
  }
}

function getEndpoints(account: string, { services }: StorageBackend) {
  const served: Readonly<Record<string, string | undefined>> = {
    blob: services?.blobEndpoint,
    table: services?.tableEndpoint,
  }
  const endpoints = ['blob', 'queue', 'table', 'file'].map((service) => {
    const endpoint = served[service] ?? `https://${account}.${service}.storage.localhost`
    return [service, withSlash(endpoint)]
  })
  return Object.fromEntries(endpoints) as Readonly<Record<string, string>>
}

interface StorageKey {
  readonly creationTime: string
  readonly keyName: string
  readonly permissions: 'FULL'
  readonly value: string
}

function getServiceKeys({ services }: StorageBackend) {
  return services?.keys.map((value, index) => ({ keyName: `key${index + 1}`, permissions: 'FULL', value }))
}

/** Returns the keys of an account, which are created when first read. */
function getKeys({ resource: { envelope }, save }: ActionContext): readonly StorageKey[] {
  const stored = envelope[keysMember] as readonly StorageKey[] | undefined
  if (stored) return stored
  const keys = ['key1', 'key2'].map(createKey)
  save({ ...envelope, [keysMember]: keys })
  return keys
}

// differs(storage-keys)
function createKey(keyName: string): StorageKey {
  return {
    creationTime: new Date().toISOString(),
    keyName,
    permissions: 'FULL',
    value: randomBytes(64).toString('base64'),
  }
}
