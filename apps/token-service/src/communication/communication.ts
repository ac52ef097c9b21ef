import {
  CommunicationIdentityError,
  type AccessToken,
  type CommunicationIdentities,
  type Operation,
  type Scope,
  type SdkName,
  type TeamsUserToken,
} from '@acs-kit/communication-identity'
import {
  BrokenCircuitError,
  bulkhead,
  BulkheadRejectedError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  wrap,
} from 'cockatiel'
import { ProblemError, spread } from '../problem-error.ts'
import { AccessKey } from './access-key.ts'
import { RequestBudget } from './request-budget.ts'

/** Requests in 30 seconds that the service allows a resource: Azure's "service limits" page, identity. */
const documentedLimits: Readonly<Record<Operation, number>> = {
  create: 1000,
  createWithToken: 1000,
  issueToken: 1000,
  revokeTokens: 500,
  delete: 500,
  exchangeTeamsToken: 500,
}
const limitWindowMs = 30_000
/** What is left of a limit for clocks and networks that are not exact. */
const usableShare = 0.95

/** More calls at once are refused, not queued: who waits for a slow service only makes it slower. */
const maxConcurrentCalls = 200
const failuresThatOpen = 5
const openForMs = 2000

/** An id that no resource owns: asking for its deletion shows whether a key is accepted, and changes nothing. */
const nobody = '8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000'

export interface IssuedToken extends AccessToken {
  readonly key: AccessKey
}

export interface CommunicationOptions {
  readonly sdk: SdkName
  /** In the order of preference; each is made to report its attempts. */
  readonly keys: readonly {
    readonly name: string
    readonly connect: (beforeAttempt: (operation: Operation) => void) => Promise<CommunicationIdentities>
  }[]
  /** How many instances share the resource's limits. */
  readonly instances: number
  readonly log: { warn(fields: object, message: string): void; info(fields: object, message: string): void }
  /** Told of each attempt's start. */
  readonly onAttempt?: (operation: Operation) => void
}

/**
 * Azure Communication Services as the service uses it: within its limits, behind a circuit breaker, and with the other
 * key when one is refused. Rejects with a `CommunicationIdentityError` or a `ProblemError`.
 */
export class Communication {
  readonly sdk: SdkName
  readonly #keys: AccessKey[] = []
  readonly #budgets: Readonly<Record<Operation, RequestBudget>>
  readonly #log: CommunicationOptions['log']
  readonly #breaker = circuitBreaker(
    handleWhen((error) => error instanceof CommunicationIdentityError && error.code === 'unavailable'),
    { breaker: new ConsecutiveBreaker(failuresThatOpen), halfOpenAfter: openForMs },
  )
  readonly #guard = wrap(this.#breaker, bulkhead(maxConcurrentCalls))

  static async connect({ keys, onAttempt, ...options }: CommunicationOptions): Promise<Communication> {
    const communication = new Communication(options)
    const beforeAttempt = (operation: Operation) => {
      const waitMs = communication.#budgets[operation].take(performance.now())
      if (waitMs > 0) throw throttled(waitMs)
      onAttempt?.(operation)
    }
    for (const { name, connect } of keys) {
      communication.#keys.push(new AccessKey(name, await connect(beforeAttempt)))
    }
    return communication
  }

  private constructor({ sdk, instances, log }: Omit<CommunicationOptions, 'keys' | 'onAttempt'>) {
    this.sdk = sdk
    this.#log = log
    this.#budgets = Object.fromEntries(
      Object.entries(documentedLimits).map(([operation, limit]) => {
        const share = Math.max(1, Math.floor((limit * usableShare) / instances))
        return [operation, new RequestBudget(share, limitWindowMs)]
      }),
    ) as Record<Operation, RequestBudget>
  }

  /** As the SDKs' clients take it. */
  get endpoint(): string {
    return this.#keys[0]!.identities.endpoint
  }

  get isBroken(): boolean {
    return this.#breaker.state === CircuitState.Open
  }

  /** The state of each key, by name. */
  get keys(): readonly { readonly name: string; readonly isDead: boolean }[] {
    return this.#keys
  }

  /** Creates an identity; together with its first token where the SDK can. */
  async create(
    scopes: readonly Scope[],
    expiresInMinutes: number | undefined,
  ): Promise<{ readonly communicationUserId: string; readonly token?: IssuedToken }> {
    if (this.sdk === 'administration') {
      return { communicationUserId: await this.#call('create', ({ identities }) => identities.create()) }
    }
    return this.#call('createWithToken', async (key) => {
      const created = await key.identities.createWithToken(scopes, { expiresInMinutes })
      return { communicationUserId: created.communicationUserId, token: { ...created, key } }
    })
  }

  issueToken(
    communicationUserId: string,
    scopes: readonly Scope[],
    expiresInMinutes: number | undefined,
  ): Promise<IssuedToken> {
    return this.#call('issueToken', async (key) => ({
      ...(await key.identities.issueToken(communicationUserId, scopes, { expiresInMinutes })),
      key,
    }))
  }

  revokeTokens(communicationUserId: string): Promise<void> {
    return this.#call('revokeTokens', ({ identities }) => identities.revokeTokens(communicationUserId))
  }

  delete(communicationUserId: string): Promise<void> {
    return this.#call('delete', ({ identities }) => identities.delete(communicationUserId))
  }

  exchangeTeamsToken(token: TeamsUserToken): Promise<AccessToken> {
    return this.#call('exchangeTeamsToken', ({ identities }) => identities.exchangeTeamsToken(token))
  }

  /** Asks with every key whether it is accepted, so that a dead one is found before a user meets it. */
  async probe(): Promise<void> {
    const results = await Promise.allSettled(this.#keys.map((key, index) => this.#probeKey(key, index)))
    const failure = results.find((result) => result.status === 'rejected')
    if (failure) throw failure.reason
    if (this.#keys.every(({ isDead }) => isDead)) throw noKeyAccepted()
  }

  async #probeKey(key: AccessKey, index: number): Promise<void> {
    try {
      await this.#guarded('delete', () => key.identities.delete(nobody))
    } catch (error) {
      if (!(error instanceof CommunicationIdentityError)) throw error
      if (error.code === 'credentials-refused') return this.#bury(key)
      if (error.code === 'unavailable' || error.code === 'throttled') throw error
    }
    if (!key.isDead) return
    this.#log.info({ key: key.name }, 'the key is accepted again')
    this.#keys[index] = new AccessKey(key.name, key.identities)
  }

  async #call<Result>(operation: Operation, work: (key: AccessKey) => Promise<Result>): Promise<Result> {
    for (;;) {
      const key = this.#keys.find(({ isDead }) => !isDead)
      if (!key) throw noKeyAccepted()
      try {
        return await this.#guarded(operation, () => work(key))
      } catch (error) {
        if (!(error instanceof CommunicationIdentityError && error.code === 'credentials-refused')) throw error
        this.#bury(key)
      }
    }
  }

  async #guarded<Result>(operation: Operation, work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#guard.execute(work)
    } catch (error) {
      if (error instanceof BrokenCircuitError) {
        throw new ProblemError(
          'communication-unavailable',
          'Azure Communication Services is unavailable (circuit open).',
          {
            retryAfterMs: spread(openForMs),
          },
        )
      }
      if (error instanceof BulkheadRejectedError) {
        throw new ProblemError(
          'communication-unavailable',
          'Too many concurrent requests to Azure Communication Services.',
          {
            retryAfterMs: spread(openForMs),
          },
        )
      }
      if (error instanceof CommunicationIdentityError && error.code === 'throttled') {
        this.#budgets[operation].hold(performance.now() + (error.retryAfterMs ?? 1000))
      }
      throw error
    }
  }

  #bury(key: AccessKey): void {
    if (key.isDead) return
    key.isDead = true
    this.#log.warn({ key: key.name }, 'the service refused the key: its tokens are dropped')
  }
}

function throttled(waitMs: number): ProblemError {
  return new ProblemError('communication-throttled', 'The request limit of Azure Communication Services is reached.', {
    retryAfterMs: spread(waitMs),
  })
}

function noKeyAccepted(): ProblemError {
  return new ProblemError(
    'communication-unavailable',
    'Azure Communication Services rejected all credentials of this service.',
    {
      retryAfterMs: 30_000,
    },
  )
}

/** Whether a failed call certainly changed nothing. */
export function hadNoEffect(error: unknown): boolean {
  if (error instanceof ProblemError) return true
  return error instanceof CommunicationIdentityError && (error.hadNoEffect || error.code !== 'unavailable')
}
