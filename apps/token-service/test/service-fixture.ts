import { startEmulator, type Emulator, type EmulatorOptions } from '@acs-kit/communication-emulator'
import { readSettings } from '@acs-kit/service-settings'
import { audience, SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import { storeConnectionString } from '@acs-kit/test-support/store-connection'
import type { StoreProxy } from '@acs-kit/test-support/store-proxy'
import { TableClient } from '@azure/data-tables'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { expect } from 'vitest'
import { buildServer } from '../src/build-server.ts'
import { createLog } from '../src/log.ts'
import type { TokenServiceOptions } from '../src/service-options.ts'

let tables = 0

/** SDK under test: the same tests pass with both. */
export const sdk = process.env['COMMUNICATION_TEST_SDK'] === 'administration' ? 'administration' : 'identity'

/** Fault of Azure that is not retried, because it asks for a pause that exceeds the deadline. */
export const outage = { status: 503, retryAfterSeconds: 60 }

export interface FixtureOptions extends Pick<TokenServiceOptions, 'now' | 'random'> {
  readonly env?: Record<string, string>
  readonly emulator?: EmulatorOptions
  /** Proxy of the store, to interrupt. */
  readonly store?: StoreProxy
}

/** A service with an emulator and an issuer of its own. Not the assembler of tools/local-stack, which depends on this package. */
export class ServiceFixture implements AsyncDisposable {
  readonly emulator: Emulator
  readonly issuer: SignInIssuer
  readonly env: Record<string, string>
  readonly #services: FastifyInstance[] = []
  readonly #options: Pick<TokenServiceOptions, 'now' | 'random'>
  logged = ''

  private constructor(emulator: Emulator, issuer: SignInIssuer, { env, store, ...options }: FixtureOptions) {
    this.emulator = emulator
    this.issuer = issuer
    this.#options = options
    this.env = {
      SIGN_IN_ISSUERS: JSON.stringify([{ issuer: issuer.issuer, audience, admin: 'admin' }]),
      COMMUNICATION_SERVICES_CONNECTION_STRING: emulator.connectionString,
      IDENTITY_STORE_CONNECTION_STRING: store?.connectionString ?? storeConnectionString(),
      IDENTITY_STORE_TABLE: `t${process.pid}x${Date.now()}x${tables++}`,
      ACS_SDK: sdk,
      LOG_LEVEL: 'debug',
      TOKENS_PER_MINUTE: '100000',
      BAD_REQUESTS_PER_MINUTE: '100000',
      ...env,
    }
  }

  static async start({ emulator = {}, ...options }: FixtureOptions = {}): Promise<ServiceFixture> {
    const fixture = new ServiceFixture(await startEmulator(emulator), await SignInIssuer.start(), options)
    await fixture.addInstance()
    return fixture
  }

  /** Starts another instance with the same store. */
  async addInstance(env: Record<string, string> = {}): Promise<FastifyInstance> {
    const settings = readSettings({ ...this.env, ...env })
    const log = createLog(settings.LOG_LEVEL, { write: (line: string) => void (this.logged += line) })
    const service = await buildServer({ ...settings, ...this.#options, log })
    this.#services.push(service)
    return service
  }

  get service(): FastifyInstance {
    return this.#services[0]!
  }

  /** Returns the log lines with these fields. */
  lines(fields: Record<string, unknown>): Record<string, unknown>[] {
    return this.logged
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((line) => Object.entries(fields).every(([name, value]) => line[name] === value))
  }

  openTable(): TableClient {
    const table = this.env['IDENTITY_STORE_TABLE']!
    return TableClient.fromConnectionString(storeConnectionString(), table, { allowInsecureConnection: true })
  }

  readJournal(): Promise<Record<string, unknown>[]> {
    const queryOptions = { filter: "PartitionKey eq 'journal'" }
    return Array.fromAsync(this.openTable().listEntities({ queryOptions }))
  }

  /** Signs a sign-in token at the fixture's time, of `alice` unless the claims differ. */
  sign(claims: Record<string, unknown> = {}): Promise<string> {
    return this.issuer.sign(claims, { now: this.#options.now?.() ?? Date.now() })
  }

  /** Sends a request as `alice`, or with other claims or another token, to the first instance or another one. */
  async call(
    request: string,
    { claims, token, body, service = this.service, headers }: CallOptions = {},
  ): Promise<Response> {
    const [method = 'GET', url] = request.split(' ') as [InjectOptions['method'], string]
    const authorization = token === null ? {} : { authorization: `Bearer ${token ?? (await this.sign(claims))}` }
    const response = await service.inject({
      method,
      url,
      headers: { ...authorization, ...headers },
      ...(body !== undefined && { payload: body as object }),
    })
    return {
      status: response.statusCode,
      headers: response.headers,
      body: response.body === '' ? {} : response.json(),
    }
  }

  /** Sends a request and waits until its operation is at Azure. Returns a function that lets it proceed, to its response. */
  async hold(operation: string, request: string, options: CallOptions = {}): Promise<() => Promise<Response>> {
    const fault = this.emulator.faults.add({ operation, latencyMs: 600_000, count: 1 })
    const response = this.call(request, options)
    await expect.poll(() => this.emulator.faults.list()[0]?.appliedCount).toBe(1)
    return () => {
      this.emulator.faults.remove(fault)
      return response
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#services.map((service) => service.close()))
    await this.emulator[Symbol.asyncDispose]()
    await this.issuer[Symbol.asyncDispose]()
  }
}

export interface CallOptions {
  readonly claims?: Record<string, unknown>
  /** Null sends none. */
  readonly token?: string | null
  readonly body?: unknown
  readonly service?: FastifyInstance
  readonly headers?: Record<string, string>
}

interface Response {
  readonly status: number
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- responses are asserted, not trusted
  readonly body: any
  readonly headers: Record<string, unknown>
}
