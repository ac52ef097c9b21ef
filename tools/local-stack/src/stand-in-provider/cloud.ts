import type { HttpMethods } from '@azure/core-rest-pipeline'
import { ArmClient, type ArmClientOptions, type ArmResponse } from './arm-client.ts'
import { BlobClient } from './blob-client.ts'
import type { ResourceRow } from './resource-table.ts'
import type { Values } from './struct-values.ts'

/** Values for configuration that the stack does not set; the genuine provider reads them from `ARM_*` variables. */
export interface ProviderEnvironment extends ArmClientOptions {
  readonly subscriptionId: string
}

export interface ResourceClient {
  call(
    method: HttpMethods,
    path: string,
    apiVersion: string | undefined,
    body?: object,
    query?: Readonly<Record<string, string>>,
  ): Promise<ArmResponse>
}

export interface Cloud {
  readonly arm: ArmClient
  readonly blobs: BlobClient
  readonly subscriptionId: string
  readonly location: string | undefined
}

const requiredNames = ['metadataHost', 'tenantId', 'clientId', 'clientSecret', 'subscriptionId'] as const

export function connect(values: Values): Cloud {
  const missing = requiredNames.filter((name) => !values[name])
  if (missing.length > 0) {
    const names = missing.map((name) => `azure-native:${name}`).join(', ')
    throw new Error(`the stand-in provider has no value for ${names}: set it with pulumi config set`)
  }
  const { subscriptionId, location, ...arm } = values as Values & ProviderEnvironment & { readonly location?: string }
  const client = new ArmClient(arm)
  return { arm: client, blobs: new BlobClient(client), subscriptionId, location }
}

export function getClient({ apiVersion }: ResourceRow, { arm, blobs }: Cloud): ResourceClient {
  return apiVersion === undefined ? blobs : arm
}
