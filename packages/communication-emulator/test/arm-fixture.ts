import { WebSiteManagementClient } from '@azure/arm-appservice'
import { CommunicationServiceManagementClient } from '@azure/arm-communication'
import { ResourceManagementClient } from '@azure/arm-resources'
import { SubscriptionClient } from '@azure/arm-resources-subscriptions'
import { StorageManagementClient } from '@azure/arm-storage'
import { ClientSecretCredential } from '@azure/identity'
import {
  wellKnownClientSecret,
  wellKnownConfidentialClientId,
  wellKnownTenantId,
  type EmulatedResource,
} from '../src/index.ts'

export const subscription = '11111111-2222-4333-8444-555555555555'

/** Polling options: by default, the clients poll every two seconds, whatever the response says. */
export const quick = { updateIntervalInMs: 20 }

type Endpoint = Pick<EmulatedResource, 'endpoint'>

export function credentialFor(endpoint: string) {
  return new ClientSecretCredential(wellKnownTenantId, wellKnownConfidentialClientId, wellKnownClientSecret, {
    authorityHost: endpoint.slice(0, -1),
    disableInstanceDiscovery: true,
  })
}

/** Azure's own clients, with the emulator's endpoint and credential. */
export function clientsFor({ endpoint }: Endpoint) {
  const credential = credentialFor(endpoint)
  const options = { endpoint: endpoint.slice(0, -1) }
  return {
    groups: new ResourceManagementClient(credential, subscription, options),
    communication: new CommunicationServiceManagementClient(credential, subscription, options),
    storage: new StorageManagementClient(credential, subscription, options),
    web: new WebSiteManagementClient(credential, subscription, options),
    subscriptions: new SubscriptionClient(credential, options),
  }
}

export interface ArmRequestOptions {
  readonly body?: unknown
  /** Token to send; default: the service principal's; null for none. */
  readonly token?: string | null
}

/** Sends a request to the resource manager, without a client. */
export async function sendToArm(
  { endpoint }: Endpoint,
  method: string,
  path: string,
  { body, token }: ArmRequestOptions = {},
) {
  const own = await credentialFor(endpoint).getToken(`${endpoint.slice(0, -1)}/.default`)
  const response = await fetch(new URL(path, endpoint), {
    method,
    headers: {
      ...(token !== null && { Authorization: `Bearer ${token ?? own.token}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: text === '' ? undefined : JSON.parse(text) }
}
