import { createDefaultHttpClient, createPipelineFromOptions, createPipelineRequest } from '@azure/core-rest-pipeline'

/** Origin of the resource manager of a cloud, from the document that describes it; `host` as azure-native's `metadataHost` has it. */
export async function findResourceManager(host: string): Promise<string> {
  const base = host.includes('://') ? host : `https://${host}`
  const url = `${base}/metadata/endpoints?api-version=2022-09-01`
  const request = createPipelineRequest({ url })
  const { status, bodyAsText } = await createPipelineFromOptions({ retryOptions: { maxRetries: 1 } }).sendRequest(
    createDefaultHttpClient(),
    request,
  )
  if (status !== 200) throw new Error(`${url} answers ${status}, and should describe the cloud`)
  const { resourceManager } = JSON.parse(bodyAsText!) as { resourceManager: string }
  return resourceManager.replace(/\/$/, '')
}
