import { findResourceManager } from './cloud-metadata.ts'
import type { StackState } from './stack/stack-state.ts'

/** Names as in the configuration of azure-native. */
export interface Cloud {
  readonly metadataHost?: string | undefined
  readonly environment?: string | undefined
}

const endpoints: Readonly<Record<string, string>> = {
  public: 'https://management.azure.com',
  usgovernment: 'https://management.usgovcloudapi.net',
  china: 'https://management.chinacloudapi.cn',
}

/** Reads the cloud from the variables that azure-native reads. */
export function readCloud({ ARM_METADATA_HOSTNAME, ARM_ENVIRONMENT }: NodeJS.ProcessEnv): Cloud {
  return { metadataHost: ARM_METADATA_HOSTNAME, environment: ARM_ENVIRONMENT }
}

/** Returns the cloud that a stack's provider is configured for. `fallback` is used where the configuration has no value. */
export function toCloud(provider: StackState['provider'], fallback: Cloud): Cloud {
  const { metadataHost = fallback.metadataHost, environment = fallback.environment } = provider as Cloud
  return { metadataHost, environment }
}

/** Returns the origin of the cloud's resource manager. */
export async function findEndpoint({ metadataHost, environment = 'public' }: Cloud): Promise<string> {
  if (metadataHost !== undefined) return findResourceManager(metadataHost)
  const endpoint = endpoints[environment.toLowerCase()]
  if (endpoint !== undefined) return endpoint
  const known = Object.keys(endpoints).join(', ')
  throw new Error(`azure-native:environment is ${JSON.stringify(environment)}: expected one of ${known}`)
}
