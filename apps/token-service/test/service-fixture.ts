import { startEmulator, type Emulator, type EmulatorOptions } from '@acs-kit/communication-emulator'
import { readSettings } from '@acs-kit/service-settings'
import { audience, SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import { storeConnectionString } from '@acs-kit/test-support/store-connection'
import type { InjectOptions } from 'fastify'
import { buildService, type AppOptions, type TokenService } from '../src/app.ts'
import { createLog } from '../src/log.ts'

let tables = 0

/** The driver that the tests run over: the same tests pass over both. */
export const sdk = process.env['COMMUNICATION_TEST_SDK'] === 'administration' ? 'administration' : 'identity'

export interface FixtureOptions extends Partial<Omit<AppOptions, 'settings' | 'log'>> {
  readonly env?: Record<string, string>
  readonly emulator?: EmulatorOptions
}

/** A service, with an emulator and an issuer of its own and the room's Azurite. */
export class ServiceFixture implements AsyncDisposable {
  readonly emulator: Emulator
  readonly issuer: SignInIssuer
  readonly env: Record<string, string>
  readonly #services: TokenService[] = []
  readonly #options: Partial<Omit<AppOptions, 'settings' | 'log'>>
  /** Everything that was logged. */
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

  /** Another instance over the same store. */
  async addInstance(env: Record<string, string> = {}): Promise<TokenService> {
    const destination = { write: (line: string) => void (this.logged += line) }
    const settings = readSettings({ ...this.env, ...env })
    const service = await buildService({ ...this.#options, settings, log: createLog(settings.LOG_LEVEL, destination) })
    this.#services.push(service)
    return service
  }

  get service(): TokenService {
    return this.#services[0]!
  }

  /** The log's lines with these fields. */
  lines(fields: Record<string, unknown>): Record<string, unknown>[] {
    return this.logged
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((line) => Object.entries(fields).every(([name, value]) => line[name] === value))
  }

  /** A request as a user, `alice` unless the token says otherwise, to the first instance or the given one. */
  async call(
    request: string,
    { token, body, service = this.service, headers }: CallOptions = {},
  ): Promise<{ status: number; body: Body; headers: Record<string, unknown> }> {
    const [method, url] = request.split(' ') as [InjectOptions['method'], string]
    const authorization = token === null ? {} : { authorization: `Bearer ${token ?? (await this.issuer.sign())}` }
    const answer = await service.app.inject({
      ...(method !== undefined && { method }),
      url,
      headers: { ...authorization, ...headers },
      ...(body !== undefined && { payload: body as object }),
    })
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: answer.body === '' ? {} : JSON.parse(answer.body),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#services.map(({ app }) => app.close()))
    await this.emulator[Symbol.asyncDispose]()
    await this.issuer[Symbol.asyncDispose]()
  }
}

export interface CallOptions {
  /** Null for none. */
  readonly token?: string | null
  readonly body?: unknown
  readonly service?: TokenService
  readonly headers?: Record<string, string>
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are asserted, not trusted
export type Body = any
