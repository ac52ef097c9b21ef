import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AdministrationAccess } from './administration/access.ts'
import { administer, isAdministration } from './administration/administration-plane.ts'
import type { Administration } from './administration/administration.ts'
import { getChatHeaders, isChat, type Chat } from './chat/chat.ts'
import { chatErrorResponse } from './chat/chat-error.ts'
import { getCorsHeaders, isPreflight } from './cors.ts'
import { entraCorsHeaders } from './entra/cors.ts'
import { errorResponse, getResponse } from './error-response.ts'
import { misdirectedResponse, toFailedResponse, toFaultResponse, toTooLargeResponse } from './fixed-responses.ts'
import { waitForLatency } from './fault-plan.ts'
import type { Hostnames } from './hostnames.ts'
import type { IdentityPlane } from './identity/identity-plane.ts'
import { matchRoute } from './identity/routes.ts'
import { decodePath, getHeader, type EmulatedService, type RawRequest, type RawResponse } from './raw-request.ts'
import { armHeaders } from './resource-manager/arm-headers.ts'
import { rejectUpgrade } from './reject-upgrade.ts'
import { ResourceManagerPlane } from './resource-manager/resource-manager-plane.ts'
import type { LoggedRequest } from './request-log.ts'
import type { Resource } from './resource.ts'

export interface DispatcherOptions {
  readonly emulator: Administration
  readonly identity: IdentityPlane
  readonly chat: Chat
  readonly resourceManager: ResourceManagerPlane
  readonly hostnames: Hostnames
  readonly access: AdministrationAccess
  readonly log: (line: string) => void
  readonly isStopped: () => boolean
}

/** A request's plane and how its faults and headers are handled. */
interface Target {
  readonly operation: string | undefined
  /** Whether only faults that name the operation apply. */
  readonly isNamedOnly: boolean
  /** Headers of every response to the request, including faults, rejections and failures. */
  readonly headers: Readonly<Record<string, string>>
  readonly service?: EmulatedService
  readonly handle: () => Promise<RawResponse>
}

/** Passes each request to its plane, and applies trusted hosts, faults, common headers and the request log to all planes. */
export function createDispatcher(options: DispatcherOptions) {
  const { emulator, identity, chat, resourceManager, hostnames, access, log, isStopped } = options
  const { entra, faults, requests, clock } = emulator

  function findTarget(request: RawRequest, resource: Resource): Target {
    if (entra.owns(request)) {
      return {
        operation: entra.getOperation(request),
        isNamedOnly: true,
        headers: entraCorsHeaders(request, hostnames),
        handle: () => entra.handle(request),
      }
    }
    if (ResourceManagerPlane.owns(request)) {
      return {
        operation: resourceManager.getOperation(request),
        isNamedOnly: true,
        headers: armHeaders(request),
        service: 'resourceManager',
        handle: () => resourceManager.handle(request),
      }
    }
    if (isChat(request)) {
      return {
        ...chat.route(request, resource),
        isNamedOnly: true,
        headers: getChatHeaders(request),
        service: 'chat',
      }
    }
    const match = matchRoute(request)
    return {
      operation: match.route?.operation,
      isNamedOnly: isPreflight(request),
      headers: getCorsHeaders(request),
      handle: () => identity(request, resource, match),
    }
  }

  async function respondWithFaults(
    request: RawRequest,
    { operation, isNamedOnly, service, handle }: Target,
  ): Promise<RawResponse | undefined> {
    if (!hostnames.isTrusted(getHeader(request.headers, 'host'))) return misdirectedResponse
    if (request.isBodyTooLarge) return toTooLargeResponse(getErrorFormat(service))
    const fault = faults.match(operation, { isNamedOnly })
    if (fault) await waitForLatency(fault)
    const respond = () => handle().catch(getResponse)
    if (!fault || (!fault.reset && fault.status === undefined)) return respond()
    if (fault.phase === 'after') await respond()
    return toFaultResponse(fault, getErrorFormat(service))
  }

  function record(
    request: RawRequest,
    response: RawResponse | undefined,
    details: Pick<LoggedRequest, 'resource' | 'operation' | 'durationMs'>,
  ): void {
    const { method, path, query, headers } = request
    const { code: errorCode, message } = readError(response?.body)
    const communicationUserId = response?.communicationUserId ?? /8(?::|%3a)acs(?::|%3a)[^/]+/i.exec(path)?.[0]
    requests.add({
      at: new Date(clock.now()),
      method,
      path,
      apiVersion: query.get('api-version') ?? undefined,
      communicationUserId: communicationUserId && decodePath(communicationUserId),
      threadId: response?.threadId ?? /19:[^/]+/.exec(decodePath(path))?.[0],
      clientRequestId: getHeader(headers, 'x-ms-client-request-id'),
      status: response?.status,
      errorCode,
      explanation: response?.explanation ?? (message === undefined ? undefined : { message }),
      ...details,
    })
    if (response === undefined) log(`${method} ${path} connection cut by a fault`)
    else if (response.status >= 400) {
      const explanation = response.explanation ? ` ${JSON.stringify(response.explanation)}` : ''
      log(`${method} ${path} ${response.status} ${errorCode ?? ''}${explanation}`)
    }
  }

  /** Returns undefined to close the connection. */
  function handle(request: RawRequest, resource: Resource): Promise<RawResponse | undefined> {
    return hostnames.run(request.headers.host, () => respond(request, resource))
  }

  async function respond(request: RawRequest, resource: Resource): Promise<RawResponse | undefined> {
    const start = performance.now()
    let target: Target | undefined
    try {
      if (isAdministration(request)) {
        return request.isBodyTooLarge ? toTooLargeResponse(errorResponse) : await administer(emulator, access, request)
      }
      target = findTarget(request, resource)
      const response = withHeaders(await respondWithFaults(request, target), target)
      const { operation } = target
      record(request, response, { resource: resource.name, operation, durationMs: performance.now() - start })
      return response
    } catch (error) {
      if (isStopped()) return undefined
      const details = error instanceof Error ? error.stack : String(error)
      log(`internal error at ${request.method} ${request.path}: ${details}`)
      return withHeaders(toFailedResponse(getErrorFormat(target?.service)), target)
    }
  }

  /** Passes a WebSocket to chat, which is the only service that accepts any. */
  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, resource: Resource): void {
    if (hostnames.isTrusted(request.headers.host)) chat.upgrade(request, socket, head, resource)
    else rejectUpgrade(socket, misdirectedResponse.status)
  }

  return { handle, upgrade }
}

function getErrorFormat(service: EmulatedService | undefined): typeof errorResponse {
  return service === 'chat' ? chatErrorResponse : errorResponse
}

/** Returns what the envelope of an error contains; that of chat has other names. */
function readError(body: unknown): { code: string | undefined; message: string | undefined } {
  const { error, CommunicationError } = (body ?? {}) as {
    error?: { code?: string; message?: string }
    CommunicationError?: { Code: string; Message?: string }
  }
  return {
    code: error?.code ?? CommunicationError?.Code,
    message: error?.message ?? CommunicationError?.Message,
  }
}

function withHeaders(response: RawResponse | undefined, target: Target | undefined): RawResponse | undefined {
  if (!response || !target) return response
  const { headers, service } = target
  return { ...response, headers: { ...headers, ...response.headers }, ...(service && { service }) }
}
