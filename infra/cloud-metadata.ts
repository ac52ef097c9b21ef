import { createDefaultHttpClient, createPipelineFromOptions, createPipelineRequest } from '@azure/core-rest-pipeline'

/**
 * Reads the origin of a cloud's resource manager from the cloud's metadata.
 *
 * @param host in the form of azure-native's `metadataHost`, with or without a protocol
 * @returns the origin, without a trailing slash
 * @throws {Error} if the host does not respond with metadata
 * @example
 * await findResourceManager('management.azure.com') // 'https://management.azure.com'
 */
export async function findResourceManager(host: string): Promise<string> {
  const base = host.includes('://') ? host : `https://${host}`
  const url = `${base}/metadata/endpoints?api-version=2022-09-01`
  const request = createPipelineRequest({ url })
  const { status, bodyAsText } = await createPipelineFromOptions({ retryOptions: { maxRetries: 1 } }).sendRequest(
    createDefaultHttpClient(),
    request,
  )
  if (status !== 200)
    throw new Error(`${url} responded with ${status}, expected the cloud's metadata: correct azure-native:metadataHost`)
  const { resourceManager } = JSON.parse(bodyAsText!) as { resourceManager: string }
  return resourceManager.replace(/\/$/, '')
}
