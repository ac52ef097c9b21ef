import { setTimeout as sleep } from 'node:timers/promises'
import { AdministrationPlane } from './administration-plane.ts'
import type { Clock } from './clock.ts'
import { entraCorsHeaders } from './entra/cors.ts'
import type { EntraPlane } from './entra/entra-plane.ts'
import { decodePath, getHeader, type RawResponse, type RawRequest } from './raw-request.ts'
import type { Fault, FaultPlan } from './faults.ts'
import { corsHeaders, isPreflight } from './identity/cors.ts'
import type { IdentityPlane } from './identity/plane.ts'
import { isTrustedHost } from './loopback.ts'
import type { RequestLog } from './request-log.ts'
import type { Resource } from './resource.ts'
import { armHeaders } from './resource-manager/arm-headers.ts'
import { ResourceManagerPlane } from './resource-manager/resource-manager-plane.ts'

export interface DispatcherOptions {
  readonly administration: AdministrationPlane
  readonly identity: IdentityPlane
  readonly entra: EntraPlane
  readonly resourceManager: ResourceManagerPlane
  readonly faults: FaultPlan
  readonly requests: RequestLog
  readonly clock: Clock
  /** Address to listen on, as the user chose it. */
  readonly host: string | undefined
  readonly log: (line: string) => void
  readonly isStopped: () => boolean
}

/** Passes each request to its plane, and applies what all planes share: trusted hosts, faults, headers and the request log. */
export class Dispatcher {
  readonly #options: DispatcherOptions

  constructor(options: DispatcherOptions) {
    this.#options = options
  }

  /** Returns undefined to cut the connection. */
  async handle(request: RawRequest, resource: Resource): Promise<RawResponse | undefined> {
    const { administration, log, isStopped } = this.#options
    const start = performance.now()
    let plan: Plan | undefined
    try {
      if (AdministrationPlane.owns(request)) {
        return request.isBodyTooLarge ? tooLarge : await administration.handle(request)
      }
      plan = this.#planFor(request, resource)
      const { operation } = plan
      const response = complete(await this.#perform(request, plan), plan)
      this.#record({ request, resource, operation, response, durationMs: performance.now() - start })
      return response
    } catch (error) {
      if (isStopped()) return undefined
      const cause = error instanceof Error ? error.stack : String(error)
      log(`the emulator failed at ${request.method} ${request.path}: ${cause}`)
      return complete(failed, plan)
    }
  }

  async #perform(request: RawRequest, { operation, isNamedOnly, perform }: Plan): Promise<RawResponse | undefined> {
    const { faults, host } = this.#options
    if (!isTrustedHost(getHeader(request.headers, 'host'), host)) return misdirected
    if (request.isBodyTooLarge) return tooLarge
    const fault = faults.strike(operation, { isNamedOnly })
    if (fault?.latencyMs !== undefined) {
      await sleep(fault.latencyMs, undefined, { ref: false, signal: fault.removed }).catch(() => {})
    }
    const isReplaced = fault !== undefined && (fault.reset === true || fault.status !== undefined)
    const isPerformed = !isReplaced || fault.phase === 'after'
    const real = isPerformed ? await perform() : undefined
    return isReplaced ? answerOf(fault) : real
  }

  #planFor(request: RawRequest, resource: Resource): Plan {
    const { identity, entra, resourceManager } = this.#options
    if (entra.owns(request)) {
      return {
        operation: entra.getOperation(request),
        isNamedOnly: true,
        headers: entraCorsHeaders(request),
        perform: () => entra.handle(request),
      }
    }
    if (ResourceManagerPlane.owns(request)) {
      return {
        operation: resourceManager.getOperation(request),
        isNamedOnly: true,
        headers: armHeaders(request),
        isFromResourceManager: true,
        perform: () => resourceManager.handle(request),
      }
    }
    const match = identity.match(request)
    const operation = match.kind === 'found' ? match.route.operation : undefined
    return {
      operation,
      isNamedOnly: isPreflight(request),
      headers: corsHeaders(request),
      perform: () => identity.handle(request, resource, match),
    }
  }

  #record({ request, resource, operation, response, durationMs }: Answered): void {
    const { clock, log, requests } = this.#options
    const { method, path } = request
    const error = (response?.body as { error?: { code?: string } } | undefined)?.error
    const communicationUserId = response?.communicationUserId ?? /8(?::|%3a)acs(?::|%3a)[^/]+/i.exec(path)?.[0]
    requests.add({
      at: new Date(clock.now()),
      resource: resource.name,
      method,
      path,
      apiVersion: request.query.get('api-version') ?? undefined,
      operation,
      communicationUserId: communicationUserId && decodePath(communicationUserId),
      clientRequestId: getHeader(request.headers, 'x-ms-client-request-id'),
      status: response?.status,
      errorCode: error?.code,
      explanation: response?.explanation,
      durationMs,
    })
    if (response === undefined) log(`${method} ${path} connection cut by a fault`)
    else if (response.status >= 400) {
      const explanation = response.explanation ? ` ${JSON.stringify(response.explanation)}` : ''
      log(`${method} ${path} ${response.status} ${error?.code ?? ''}${explanation}`)
    }
  }
}

interface Plan {
  readonly operation: string | undefined
  /** Whether only faults that name the operation strike it. */
  readonly isNamedOnly: boolean
  /** Headers of every response to the request, including faults, rejections and failures. */
  readonly headers: Readonly<Record<string, string>>
  readonly isFromResourceManager?: true
  readonly perform: () => Promise<RawResponse>
}

interface Answered {
  readonly request: RawRequest
  readonly resource: Resource
  readonly operation: string | undefined
  readonly response: RawResponse | undefined
  readonly durationMs: number
}

// differs(foreign-host): a page could otherwise use the emulator under a name of its own that leads to this machine.
const misdirected: RawResponse = {
  status: 421,
  body: {
    error: {
      code: 'MisdirectedRequest',
      message: 'The Host header names another host: use localhost, an IP address, or the address given as --host.',
    },
  },
}

// guess(body-limit)
const tooLarge: RawResponse = {
  status: 413,
  headers: { Connection: 'close' },
  body: {
    error: {
      code: 'RequestBodyTooLarge',
      message: 'The request body is too large and exceeds the maximum permissible limit.',
    },
  },
}

const failed: RawResponse = {
  status: 500,
  body: { error: { code: 'InternalServerError', message: 'The emulator failed. Its log says why.' } },
}

function complete(response: RawResponse | undefined, plan: Plan | undefined): RawResponse | undefined {
  if (!response || !plan) return response
  const { headers, isFromResourceManager = false } = plan
  return { ...response, headers: { ...headers, ...response.headers }, isFromResourceManager }
}

/** Undefined cuts the connection. */
function answerOf({ reset, status, retryAfterSeconds }: Fault): RawResponse | undefined {
  if (reset || status === undefined) return undefined
  return {
    status,
    ...(retryAfterSeconds !== undefined && { headers: { 'Retry-After': String(retryAfterSeconds) } }),
    ...(status >= 400 && {
      body: { error: { code: 'InjectedFault', message: 'A fault that was asked for, injected by the emulator.' } },
    }),
  }
}
