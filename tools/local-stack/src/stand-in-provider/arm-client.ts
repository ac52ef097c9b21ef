import { setTimeout as sleep } from 'node:timers/promises'
import { retryAfterSeconds } from '@acs-kit/communication-identity'
import { findResourceManager } from '@acs-kit/infra/cloud-metadata'
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpMethods,
  type Pipeline,
} from '@azure/core-rest-pipeline'
import { ClientSecretCredential } from '@azure/identity'

export interface ArmClientOptions {
  /** Base URL of the cloud's metadata. */
  readonly metadataHost: string
  readonly tenantId: string
  readonly clientId: string
  readonly clientSecret: string
}

export interface ArmResponse {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** Error response of the resource manager. */
export class ArmError extends Error {
  readonly status: number
  /** Body of the response. */
  readonly body: string

  constructor(status: number, body: string, code: string, message: string) {
    super(`Status=${status} Code="${code}" Message="${message}"`)
    this.status = status
    this.body = body
  }
}

interface Connection {
  readonly origin: string
  readonly pipeline: Pipeline
}

const client = createDefaultHttpClient()

/**
 * Calls a resource manager as a service principal and waits for long-running operations. Not `@azure/arm-resources`, whose
 * pollers ignore the delay that a response requests, and which has no generic POST.
 */
export class ArmClient {
  readonly #options: ArmClientOptions
  #connection: Promise<Connection> | undefined

  constructor(options: ArmClientOptions) {
    this.#options = options
  }

  /**
   * Resolves with the first response after the operation that it started is done. GET and DELETE of a missing resource
   * resolve with status 404. Other errors reject with an `ArmError`.
   */
  async call(
    method: HttpMethods,
    path: string,
    apiVersion: string,
    body?: object,
    query: Readonly<Record<string, string>> = {},
  ): Promise<ArmResponse> {
    const { origin } = await this.#getConnection()
    const parameters = new URLSearchParams({ 'api-version': apiVersion, ...query })
    const url = `${origin}${path}?${parameters.toString()}`
    const first = await this.#send(method, url, body)
    const operation = first.headers.get('Azure-AsyncOperation')
    const location = first.headers.get('Location')
    if (operation !== undefined) await this.#poll(operation)
    else if (location !== undefined && first.status === 202) await this.#poll(location)
    return first
  }

  async #poll(url: string): Promise<void> {
    for (;;) {
      const { status, body, headers } = await this.#send('GET', url)
      const state = body['status']
      if (state === 'Failed' || state === 'Canceled') {
        const text = JSON.stringify(body)
        throw new ArmError(status, text, state, text)
      }
      if (status !== 202 && (state === undefined || state === 'Succeeded' || state === 'Deleted')) return
      await sleep(pollDelayMs(headers, Date.now()))
    }
  }

  async #send(method: HttpMethods, url: string, body?: object) {
    const { pipeline } = await this.#getConnection()
    const request = createPipelineRequest({ url, method, ...(body && { body: JSON.stringify(body) }) })
    request.headers.set('Content-Type', 'application/json')
    const { status, headers, bodyAsText } = await pipeline.sendRequest(client, request).catch(toUnreachable(url))
    // The response to an accepted DELETE may be `null`.
    const json = (JSON.parse(bodyAsText || '{}') ?? {}) as Record<string, unknown>
    const isMissing = status === 404 && (method === 'GET' || method === 'DELETE')
    if (status < 400 || isMissing) return { status, body: json, headers }
    const { code = '', message = '' } = (json['error'] ?? {}) as { code?: string; message?: string }
    throw new ArmError(status, bodyAsText ?? '', code, message)
  }

  /** Retries after a failure. */
  #getConnection(): Promise<Connection> {
    return (this.#connection ??= this.#connect().catch((error: unknown) => {
      this.#connection = undefined
      throw error
    }))
  }

  async #connect(): Promise<Connection> {
    const { metadataHost, tenantId, clientId, clientSecret } = this.#options
    const origin = await findResourceManager(metadataHost).catch(toUnreachable(metadataHost))
    const options = { authorityHost: origin, disableInstanceDiscovery: true }
    const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, options)
    const pipeline = createPipelineFromOptions({ retryOptions: { maxRetries: 1 } })
    pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: `${origin}/.default` }))
    return { origin, pipeline }
  }
}

/** Delay that a response requests: 1 ms to 1 hour, or 1 s without a valid header. */
export function pollDelayMs(headers: { get(name: string): string | undefined }, now: number): number {
  const milliseconds = headers.get('Retry-After-Ms') ?? ''
  if (/^\d*[1-9]\d*$/.test(milliseconds)) return Math.min(Number(milliseconds), 3_600_000)
  return (retryAfterSeconds(headers.get('Retry-After'), now) ?? 1) * 1000
}

function toUnreachable(url: string): (cause: Error) => never {
  return (cause) => {
    // Another error than of the network, such as a rejected sign-in.
    if (cause.name !== 'RestError') throw cause
    throw new Error(
      `no response from ${url} (${cause.message}): start the emulator, or correct azure-native:metadataHost`,
      { cause },
    )
  }
}
