import { setTimeout as sleep } from 'node:timers/promises'
import { retryAfterSeconds } from '@acs-kit/communication-identity'
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpMethods,
  type Pipeline,
} from '@azure/core-rest-pipeline'
import { ClientSecretCredential } from '@azure/identity'
import { findResourceManager } from '@acs-kit/infra/cloud-metadata'

export interface ArmClientOptions {
  /** Base address of the document that describes the cloud. */
  readonly metadataHost: string
  readonly tenantId: string
  readonly clientId: string
  readonly clientSecret: string
}

export interface ArmAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
}

interface Connection {
  readonly origin: string
  readonly pipeline: Pipeline
}

const client = createDefaultHttpClient()

/** Calls the resource manager that a cloud's metadata name, as a service principal, and waits for what takes a while. */
export class ArmClient {
  readonly #options: ArmClientOptions
  #connection: Promise<Connection> | undefined

  constructor(options: ArmClientOptions) {
    this.#options = options
  }

  /**
   * Resolves with the first response, once what it began is done; a GET of what is not there gives status 404. Rejects with a
   * refusal as Azure Resource Manager words it.
   */
  async call(method: HttpMethods, path: string, apiVersion: string, body?: object): Promise<ArmAnswer> {
    const { origin } = await this.#connected()
    const url = `${origin}${path}?api-version=${apiVersion}`
    const first = await this.#send(method, url, body)
    const operation = first.headers.get('Azure-AsyncOperation')
    const location = first.headers.get('Location')
    if (operation !== undefined) await this.#waitFor(operation)
    else if (location !== undefined && first.status === 202) await this.#waitFor(location)
    return first
  }

  async #waitFor(link: string): Promise<void> {
    for (;;) {
      const { status, body, headers } = await this.#send('GET', link)
      const state = body['status']
      if (state === 'Failed' || state === 'Canceled') throw refusal(status, state, JSON.stringify(body))
      if (status !== 202 && (state === undefined || state === 'Succeeded' || state === 'Deleted')) return
      await sleep(pollDelayMs(headers, Date.now()))
    }
  }

  async #send(method: HttpMethods, url: string, body?: object) {
    const { pipeline } = await this.#connected()
    const request = createPipelineRequest({ url, method, ...(body && { body: JSON.stringify(body) }) })
    request.headers.set('Content-Type', 'application/json')
    const { status, headers, bodyAsText } = await pipeline.sendRequest(client, request).catch(unreachable(url))
    // A DELETE may be accepted with `null`.
    const json = (JSON.parse(bodyAsText || '{}') ?? {}) as Record<string, unknown>
    const isMissing = status === 404 && (method === 'GET' || method === 'DELETE')
    if (status < 400 || isMissing) return { status, body: json, headers }
    const { code = '', message = '' } = (json['error'] ?? {}) as { code?: string; message?: string }
    throw refusal(status, code, message)
  }

  /** One that failed is tried anew. */
  #connected(): Promise<Connection> {
    return (this.#connection ??= this.#connect().catch((error: unknown) => {
      this.#connection = undefined
      throw error
    }))
  }

  async #connect(): Promise<Connection> {
    const { metadataHost, tenantId, clientId, clientSecret } = this.#options
    const origin = await findResourceManager(metadataHost).catch(unreachable(metadataHost))
    const options = { authorityHost: origin, disableInstanceDiscovery: true }
    const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, options)
    const pipeline = createPipelineFromOptions({ retryOptions: { maxRetries: 1 } })
    pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: `${origin}/.default` }))
    return { origin, pipeline }
  }
}

/** Returns the wait that a response asks for: at least a millisecond, at most an hour, and a second without a valid header. */
export function pollDelayMs(headers: { get(name: string): string | undefined }, now: number): number {
  const milliseconds = headers.get('Retry-After-Ms') ?? ''
  if (/^\d*[1-9]\d*$/.test(milliseconds)) return Math.min(Number(milliseconds), 3_600_000)
  return (retryAfterSeconds(headers.get('Retry-After'), now) ?? 1) * 1000
}

function refusal(status: number, code: string, message: string): Error {
  return new Error(`Status=${status} Code="${code}" Message="${message}"`)
}

function unreachable(place: string): (cause: Error) => never {
  return (cause) => {
    // Such as a sign-in that was refused.
    if (cause.name !== 'RestError') throw cause
    throw new Error(
      `no response from ${place} (${cause.message}): start the emulator, or correct azure-native:metadataHost`,
      { cause },
    )
  }
}
