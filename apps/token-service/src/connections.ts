import { createCommunicationIdentities, type Operation, type Target } from '@acs-kit/communication-identity'
import type { Settings } from '@acs-kit/service-settings'
import type { TokenCredential } from '@azure/core-auth'
import { TableClient } from '@azure/data-tables'
import type { CommunicationOptions } from './communication/communication.ts'

/** The clients of Azure's services, with an access key or keyless, as the settings say. */
export async function openConnections(
  settings: Settings,
): Promise<{ readonly tableClient: TableClient; readonly keys: CommunicationOptions['keys'] }> {
  const isKeyless = settings.COMMUNICATION_SERVICES_ENDPOINT ?? settings.IDENTITY_STORE_ENDPOINT
  const credential = isKeyless === undefined ? undefined : await createCredential(settings.AZURE_CLIENT_ID)
  const options = { sdk: settings.ACS_SDK, deadlineMs: settings.UPSTREAM_DEADLINE_MS }
  return {
    tableClient: openTable(settings, credential),
    keys: targetsOf(settings, credential).map(([name, target]) => ({
      name,
      connect: (beforeAttempt: (operation: Operation) => void) =>
        createCommunicationIdentities(target, { ...options, beforeAttempt }),
    })),
  }
}

/** Loaded only when it is needed: it is larger than the rest of the service. */
async function createCredential(managedIdentityClientId: string | undefined): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import('@azure/identity')
  return new DefaultAzureCredential(managedIdentityClientId === undefined ? {} : { managedIdentityClientId })
}

function openTable(settings: Settings, credential: TokenCredential | undefined): TableClient {
  const { IDENTITY_STORE_TABLE: table, IDENTITY_STORE_CONNECTION_STRING: connectionString } = settings
  const options = { retryOptions: { maxRetries: 2, retryDelayInMs: 50, maxRetryDelayInMs: 500 } }
  if (connectionString === undefined) {
    return new TableClient(settings.IDENTITY_STORE_ENDPOINT!, table, credential!, options)
  }
  const { url } = TableClient.fromConnectionString(connectionString, table)
  return TableClient.fromConnectionString(connectionString, table, {
    ...options,
    // Azurite's plain http: the settings accept it for this machine only.
    allowInsecureConnection: new URL(url).protocol === 'http:',
  })
}

function targetsOf(settings: Settings, credential: TokenCredential | undefined): [name: string, Target][] {
  const { COMMUNICATION_SERVICES_ENDPOINT: endpoint } = settings
  if (endpoint !== undefined) return [['managed-identity', { endpoint, credential: credential! }]]
  return Object.entries({
    primary: settings.COMMUNICATION_SERVICES_CONNECTION_STRING,
    secondary: settings.COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING,
  }).flatMap(([name, connectionString]) =>
    connectionString === undefined ? [] : [[name, { connectionString }] as [string, Target]],
  )
}
