import { setTimeout as sleep } from 'node:timers/promises'
import { AdministrationPlane } from './administration-plane.ts'
import type { Clock } from './clock.ts'
import { EntraPlane, entraCorsHeaders } from './entra/entra-plane.ts'
import { decodePath, headerOf, type Answer, type Exchange } from './exchange.ts'
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
  async answer(exchange: Exchange, resource: Resource): Promise<Answer | undefined> {
    const { administration, log, isStopped } = this.#options
    const start = performance.now()
    let plan: Plan | undefined
    try {
      if (AdministrationPlane.owns(exchange)) {
        return exchange.isBodyTooLarge ? tooLarge : await administration.answer(exchange)
      }
      plan = this.#planFor(exchange, resource)
      const { operation } = plan
      const answer = complete(await this.#perform(exchange, plan), plan)
      this.#record({ exchange, resource, operation, answer, durationMs: performance.now() - start })
      return answer
    } catch (error) {
      if (isStopped()) return undefined
      const cause = error instanceof Error ? error.stack : String(error)
      log(`the emulator failed at ${exchange.method} ${exchange.path}: ${cause}`)
      return complete(failed, plan)
    }
  }

  async #perform(exchange: Exchange, { operation, isNamedOnly, perform }: Plan): Promise<Answer | undefined> {
    const { faults, host } = this.#options
    if (!isTrustedHost(headerOf(exchange.headers, 'host'), host)) return misdirected
    if (exchange.isBodyTooLarge) return tooLarge
    const fault = faults.strike(operation, { isNamedOnly })
    if (fault?.latencyMs !== undefined) {
      await sleep(fault.latencyMs, undefined, { ref: false, signal: fault.removed }).catch(() => {})
    }
    const isReplaced = fault !== undefined && (fault.reset === true || fault.status !== undefined)
    const isPerformed = !isReplaced || fault.phase === 'after'
    const real = isPerformed ? await perform() : undefined
    return isReplaced ? answerOf(fault) : real
  }

  #planFor(exchange: Exchange, resource: Resource): Plan {
    const { identity, entra, resourceManager } = this.#options
    if (entra.owns(exchange)) {
      return {
        operation: entra.operationOf(exchange),
        isNamedOnly: true,
        headers: entraCorsHeaders(exchange),
        perform: () => entra.answer(exchange),
      }
    }
    if (ResourceManagerPlane.owns(exchange)) {
      return {
        operation: resourceManager.operationOf(exchange),
        isNamedOnly: true,
        headers: armHeaders(exchange),
        isFromResourceManager: true,
        perform: () => resourceManager.answer(exchange),
      }
    }
    const match = identity.match(exchange)
    const operation = match.kind === 'found' ? match.route.operation : undefined
    return {
      operation,
      isNamedOnly: isPreflight(exchange),
      headers: corsHeaders(exchange),
      perform: () => identity.answer(exchange, resource, match),
    }
  }

  #record({ exchange, resource, operation, answer, durationMs }: Answered): void {
    const { clock, log, requests } = this.#options
    const { method, path } = exchange
    const error = (answer?.body as { error?: { code?: string } } | undefined)?.error
    const communicationUserId = answer?.communicationUserId ?? /8(?::|%3a)acs(?::|%3a)[^/]+/i.exec(path)?.[0]
    requests.add({
      at: new Date(clock.now()),
      resource: resource.name,
      method,
      path,
      apiVersion: exchange.query.get('api-version') ?? undefined,
      operation,
      communicationUserId: communicationUserId && decodePath(communicationUserId),
      clientRequestId: headerOf(exchange.headers, 'x-ms-client-request-id'),
      status: answer?.status,
      errorCode: error?.code,
      explanation: answer?.explanation,
      durationMs,
    })
    if (answer === undefined) log(`${method} ${path} connection cut by a fault`)
    else if (answer.status >= 400) {
      const explanation = answer.explanation ? ` ${JSON.stringify(answer.explanation)}` : ''
      log(`${method} ${path} ${answer.status} ${error?.code ?? ''}${explanation}`)
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
  readonly perform: () => Promise<Answer>
}

interface Answered {
  readonly exchange: Exchange
  readonly resource: Resource
  readonly operation: string | undefined
  readonly answer: Answer | undefined
  readonly durationMs: number
}

// differs(foreign-host): a page could otherwise use the emulator under a name of its own that leads to this machine.
const misdirected: Answer = {
  status: 421,
  body: {
    error: {
      code: 'MisdirectedRequest',
      message: 'The Host header names another host: use localhost, an IP address, or the address given as --host.',
    },
  },
}

// guess(body-limit)
const tooLarge: Answer = {
  status: 413,
  headers: { Connection: 'close' },
  body: {
    error: {
      code: 'RequestBodyTooLarge',
      message: 'The request body is too large and exceeds the maximum permissible limit.',
    },
  },
}

const failed: Answer = {
  status: 500,
  body: { error: { code: 'InternalServerError', message: 'The emulator failed. Its log says why.' } },
}

function complete(answer: Answer | undefined, plan: Plan | undefined): Answer | undefined {
  if (!answer || !plan) return answer
  const { headers, isFromResourceManager = false } = plan
  return { ...answer, headers: { ...headers, ...answer.headers }, isFromResourceManager }
}

/** Undefined cuts the connection. */
function answerOf({ reset, status, retryAfterSeconds }: Fault): Answer | undefined {
  if (reset || status === undefined) return undefined
  return {
    status,
    ...(retryAfterSeconds !== undefined && { headers: { 'Retry-After': String(retryAfterSeconds) } }),
    ...(status >= 400 && {
      body: { error: { code: 'InjectedFault', message: 'A fault that was asked for, injected by the emulator.' } },
    }),
  }
}
