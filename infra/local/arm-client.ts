import { setTimeout as sleep } from 'node:timers/promises'

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

/** A refusal, as Azure Resource Manager words it. */
class ArmRefusal extends Error {
  readonly status: number

  constructor(status: number, code: string, message: string) {
    super(`Status=${status} Code="${code}" Message="${message}"`)
    this.status = status
  }
}

/** A token is renewed this much before its end. */
const tokenMarginMs = 60_000

/** Calls the resource manager that a cloud's metadata name, as a service principal, and waits for what takes a while. */
export class ArmClient {
  readonly #options: ArmClientOptions
  #resourceManager: Promise<string> | undefined
  #token: { readonly text: string; readonly until: number } | undefined

  constructor(options: ArmClientOptions) {
    this.#options = options
  }

  /** Rejects with an `ArmRefusal`; a GET of what is not there gives status 404. */
  async call(method: string, path: string, apiVersion: string, body?: object): Promise<ArmAnswer> {
    const url = new URL(`${path}?api-version=${apiVersion}`, await this.#base())
    const first = await this.#send(method, url, body)
    const operation = first.headers.get('Azure-AsyncOperation')
    const location = first.headers.get('Location')
    if (operation !== null) {
      await this.#waitFor(operation)
      return method === 'DELETE' ? first : this.#send('GET', url)
    }
    if (location !== null && first.status === 202) await this.#waitFor(location)
    return first
  }

  async #waitFor(link: string): Promise<void> {
    for (;;) {
      const { status, body, headers } = await this.#send('GET', new URL(link))
      const state = body['status']
      if (state === 'Failed' || state === 'Canceled') throw new ArmRefusal(status, state, JSON.stringify(body))
      if (status !== 202 && (state === undefined || state === 'Succeeded' || state === 'Deleted')) return
      await sleep(Number(headers.get('Retry-After') ?? 1) * 1000 || 20)
    }
  }

  async #send(method: string, url: URL, body?: object): Promise<ArmAnswer & { readonly headers: Headers }> {
    const response = await reach(url, {
      method,
      headers: { Authorization: `Bearer ${await this.#accessToken()}`, 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const json = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
    const isMissing = response.status === 404 && (method === 'GET' || method === 'DELETE')
    if (response.ok || isMissing) return { status: response.status, body: json ?? {}, headers: response.headers }
    const { code = '', message = '' } = (json['error'] ?? {}) as { code?: string; message?: string }
    throw new ArmRefusal(response.status, code, message)
  }

  #base(): Promise<string> {
    return (this.#resourceManager ??= this.#readMetadata())
  }

  async #readMetadata(): Promise<string> {
    const { metadataHost } = this.#options
    const base = metadataHost.includes('://') ? metadataHost : `https://${metadataHost}`
    const response = await reach(new URL(`${base}/metadata/endpoints?api-version=2022-09-01`))
    return ((await response.json()) as { resourceManager: string }).resourceManager
  }

  async #accessToken(): Promise<string> {
    if (this.#token && Date.now() < this.#token.until - tokenMarginMs) return this.#token.text
    const { tenantId, clientId, clientSecret } = this.#options
    const base = await this.#base()
    const form = {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: `${base}/.default`,
    }
    const response = await reach(new URL(`${base}/${tenantId}/oauth2/v2.0/token`), {
      method: 'POST',
      body: new URLSearchParams(form),
    })
    const answer = (await response.json()) as { access_token?: string; expires_in: number; error_description?: string }
    if (answer.access_token === undefined) throw new Error(`the sign-in refused: ${answer.error_description}`)
    this.#token = { text: answer.access_token, until: Date.now() + answer.expires_in * 1000 }
    return answer.access_token
  }
}

async function reach(url: URL, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (error) {
    const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
    throw new Error(
      `nothing answers at ${url.origin} (${message || code}): start the emulator, or look at azure-native:metadataHost`,
      { cause: error },
    )
  }
}
