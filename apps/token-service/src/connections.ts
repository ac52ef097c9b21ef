import { createCommunicationIdentities, type Operation, type Target } from '@acs-kit/communication-identity'
import type { Settings } from '@acs-kit/service-settings'
import type { TokenCredential } from '@azure/core-auth'
import { TableClient } from '@azure/data-tables'
import type { AccessKey } from './communication/communication.ts'

/** Creates a client for each access key in order of preference, or for the managed identity. */
export async function connectAll(
  settings: Settings,
  beforeAttempt: (operation: Operation) => void,
): Promise<AccessKey[]> {
  const options = { sdk: settings.ACS_SDK, deadlineMs: settings.UPSTREAM_DEADLINE_MS, beforeAttempt }
  const keys = Object.entries(await createTargets(settings)).map(async ([name, target]) => {
    return { name, identities: await createCommunicationIdentities(target, options), isRejected: false }
  })
  return Promise.all(keys)
}

async function createTargets(settings: Settings): Promise<Record<string, Target>> {
  const {
    COMMUNICATION_SERVICES_ENDPOINT: endpoint,
    COMMUNICATION_SERVICES_CONNECTION_STRING: primary,
    COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: secondary,
  } = settings
  if (endpoint !== undefined) return { 'managed-identity': { endpoint, credential: await createCredential(settings) } }
  return {
    ...(primary !== undefined && { primary: { connectionString: primary } }),
    ...(secondary !== undefined && { secondary: { connectionString: secondary } }),
  }
}

export async function createTableClient(settings: Settings): Promise<TableClient> {
  const { IDENTITY_STORE_TABLE: table, IDENTITY_STORE_CONNECTION_STRING: connectionString } = settings
  const options = { retryOptions: { maxRetries: 2, retryDelayInMs: 50, maxRetryDelayInMs: 500 } }
  if (connectionString === undefined) {
    return new TableClient(settings.IDENTITY_STORE_ENDPOINT!, table, await createCredential(settings), options)
  }
  const { url } = TableClient.fromConnectionString(connectionString, table)
  return TableClient.fromConnectionString(connectionString, table, {
    ...options,
    // The settings accept http only for this machine, as Azurite uses it.
    allowInsecureConnection: new URL(url).protocol === 'http:',
  })
}

/** Loads the SDK only when needed: it is larger than the rest of the service. */
async function createCredential({ AZURE_CLIENT_ID: managedIdentityClientId }: Settings): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import('@azure/identity')
  return new DefaultAzureCredential(managedIdentityClientId === undefined ? {} : { managedIdentityClientId })
}
