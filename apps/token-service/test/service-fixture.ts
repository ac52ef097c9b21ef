import { startEmulator, type Emulator, type EmulatorOptions } from '@acs-kit/communication-emulator'
import { readSettings } from '@acs-kit/service-settings'
import { audience, SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import { storeConnectionString } from '@acs-kit/test-support/store-connection'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { buildServer } from '../src/build-server.ts'
import { createLog } from '../src/log.ts'
import type { TokenServiceOptions } from '../src/service-options.ts'

let tables = 0

/** SDK under test: the same tests pass with both. */
export const sdk = process.env['COMMUNICATION_TEST_SDK'] === 'administration' ? 'administration' : 'identity'

export interface FixtureOptions extends Pick<TokenServiceOptions, 'now' | 'random'> {
  readonly env?: Record<string, string>
  readonly emulator?: EmulatorOptions
}

/** A service with an emulator and an issuer of its own. Not the assembler of tools/local-stack, which depends on this package. */
export class ServiceFixture implements AsyncDisposable {
  readonly emulator: Emulator
  readonly issuer: SignInIssuer
  readonly env: Record<string, string>
  readonly #services: FastifyInstance[] = []
  readonly #options: Pick<TokenServiceOptions, 'now' | 'random'>
  logged = ''

  private constructor(emulator: Emulator, issuer: SignInIssuer, { env, ...options }: FixtureOptions) {
    this.emulator = emulator
    this.issuer = issuer
    this.#options = options
    this.env = {
      SIGN_IN_ISSUERS: JSON.stringify([{ issuer: issuer.issuer, audience, admin: 'admin' }]),
      COMMUNICATION_SERVICES_CONNECTION_STRING: emulator.connectionString,
      IDENTITY_STORE_CONNECTION_STRING: storeConnectionString(),
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

  /** Sends a request as `alice`, unless a token is given, to the first instance, unless one is given. */
  async call(
    request: string,
    { token, body, service = this.service, headers }: CallOptions = {},
  ): Promise<{ status: number; body: Body; headers: Record<string, unknown> }> {
    const [method = 'GET', url] = request.split(' ') as [InjectOptions['method'], string]
    const authorization = token === null ? {} : { authorization: `Bearer ${token ?? (await this.issuer.sign())}` }
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

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#services.map((service) => service.close()))
    await this.emulator[Symbol.asyncDispose]()
    await this.issuer[Symbol.asyncDispose]()
  }
}

export interface CallOptions {
  /** Null sends none. */
  readonly token?: string | null
  readonly body?: unknown
  readonly service?: FastifyInstance
  readonly headers?: Record<string, string>
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- responses are asserted, not trusted
export type Body = any
