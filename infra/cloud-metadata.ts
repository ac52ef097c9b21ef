import { createDefaultHttpClient, createPipelineFromOptions, createPipelineRequest } from '@azure/core-rest-pipeline'

/** Returns the origin of a cloud's resource manager; `host` has the form of azure-native's `metadataHost`. */
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
