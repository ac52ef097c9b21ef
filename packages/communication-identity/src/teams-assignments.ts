import { createCommunicationAuthPolicy } from '@azure/communication-common'
import {
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
  RestError,
  type HttpMethods,
} from '@azure/core-rest-pipeline'
import { requireValue, type Credentials, type Driver, type TeamsAssignment, type TeamsPrincipal } from './driver.ts'
import { toFailure } from './errors.ts'

const apiVersion = '2025-06-30'

/**
 * Creates the calls of Teams Phone extensibility, which both SDKs lack. Azure's library signs their requests. Both drivers include
 * these calls.
 */
export function createTeamsAssignments(
  credentials: Credentials,
): Pick<Driver, 'getTeamsAssignment' | 'putTeamsAssignment' | 'deleteTeamsAssignment'> {
  const httpClient = createDefaultHttpClient()
  const pipeline = createPipelineFromOptions({ retryOptions: { maxRetries: 0 } })
  const credential = 'accessKey' in credentials ? { key: credentials.accessKey } : credentials.credential
  pipeline.addPolicy(createCommunicationAuthPolicy(credential))

  /** Returns the assignment in the response, or undefined for 204 and 404. */
  async function send(
    method: HttpMethods,
    { tenantId, objectId }: TeamsPrincipal,
    abortSignal: AbortSignal,
    body?: object,
  ): Promise<TeamsAssignment | undefined> {
    const path = `tenants/${encodeURIComponent(tenantId)}/assignments/${encodeURIComponent(objectId)}`
    const request = createPipelineRequest({
      url: `${credentials.endpoint}/access/teamsExtension/${path}?api-version=${apiVersion}`,
      method,
      abortSignal,
      ...(body && { body: JSON.stringify(body) }),
    })
    request.headers.set('Accept', 'application/json')
    if (body) request.headers.set('Content-Type', 'application/json')
    const response = await pipeline.sendRequest(httpClient, request)
    const { status: statusCode } = response
    if (statusCode === 204 || (statusCode === 404 && method !== 'PUT')) return undefined
    if (statusCode === 200 || statusCode === 201) return toAssignment(response.bodyAsText)
    const error = new RestError(`status ${statusCode}`, { statusCode, request, response })
    throw toFailure(error, { isForbiddenRequest: true })
  }

  return {
    getTeamsAssignment: (principal, signal) => send('GET', principal, signal),
    async putTeamsAssignment(principal, { principalType, clientIds }, signal) {
      // The name in Microsoft's instructions. The specification has `resourceAccount`, and ignores case.
      const isUser = principalType === 'user'
      const body = isUser ? { principalType, clientIds } : { principalType: 'teamsResourceAccount' }
      return requireValue(await send('PUT', principal, signal, body))
    },
    async deleteTeamsAssignment(principal, signal) {
      await send('DELETE', principal, signal)
    },
  }
}

function toAssignment(text: string | null | undefined): TeamsAssignment {
  const { principalType, clientIds } = JSON.parse(requireValue(text)) as {
    readonly principalType?: string
    readonly clientIds?: readonly string[]
  }
  const isUser = requireValue(principalType).toLowerCase() === 'user'
  return { principalType: isUser ? 'user' : 'resourceAccount', clientIds: clientIds ?? [] }
}
