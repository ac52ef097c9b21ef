import {
  CommunicationIdentityError,
  type AccessToken,
  type CommunicationIdentities,
  type Operation,
  type Scope,
  type SdkName,
  type TeamsUserToken,
} from '@acs-kit/communication-identity'
import type { Log } from '../log.ts'
import { ProblemError } from '../problems/problem-error.ts'
import { UpstreamGuard } from '../upstream-guard.ts'
import { AccessKey } from './access-key.ts'
import { createRequestBudgets } from './request-budgets.ts'

const maxConcurrent = 200
const openForMs = 2000
/** `Retry-After` while ACS rejects all keys: the interval of the health check, which notices when it accepts one again. */
const rejectedRetryMs = 30_000
const defaultThrottleMs = 1000

/** Id that no resource owns. Deleting it checks whether a key is accepted, and changes nothing. */
const unownedUserId = '8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000'

export interface IssuedToken extends AccessToken {
  readonly key: AccessKey
}

export interface AccessKeyOptions {
  readonly name: string
  /** Creates the client, which reports each attempt before it sends it. */
  readonly connect: (beforeAttempt: (operation: Operation) => void) => Promise<CommunicationIdentities>
}

export interface CommunicationOptions {
  readonly sdk: SdkName
  /** In order of preference. */
  readonly keys: readonly AccessKeyOptions[]
  /** Number of instances that share the resource's limits. */
  readonly instances: number
  readonly log: Log
  readonly random: () => number
  readonly onAttempt: (operation: Operation) => void
}

/**
 * Azure Communication Services (ACS), with its limits, a circuit breaker, and the other key when one is rejected. Rejects with a
 * `CommunicationIdentityError` or a `ProblemError`.
 */
export class Communication {
  readonly sdk: SdkName
  readonly #keys: AccessKey[] = []
  readonly #budgets
  readonly #guard
  readonly #log: Log

  static async connect(options: CommunicationOptions): Promise<Communication> {
    const communication = new Communication(options)
    const beforeAttempt = (operation: Operation) => {
      communication.#takeBudget(operation)
      options.onAttempt(operation)
    }
    for (const { name, connect } of options.keys) {
      communication.#keys.push(new AccessKey(name, await connect(beforeAttempt)))
    }
    return communication
  }

  private constructor({ sdk, instances, log, random }: CommunicationOptions) {
    this.sdk = sdk
    this.#log = log
    this.#budgets = createRequestBudgets(instances)
    this.#guard = new UpstreamGuard({
      name: 'Azure Communication Services',
      code: 'communication-unavailable',
      isFailure: (error) => error instanceof CommunicationIdentityError && error.code === 'unavailable',
      maxConcurrent,
      openForMs,
      random,
    })
  }

  /** The resource's endpoint, which the clients of the SDKs need. */
  get endpoint(): string {
    return this.#keys[0]!.identities.endpoint
  }

  get isCircuitOpen(): boolean {
    return this.#guard.isCircuitOpen
  }

  get keys(): readonly { readonly name: string; readonly isRejected: boolean }[] {
    return this.#keys
  }

  /** Creates an identity, and its first token if the SDK does both in one request. */
  async create(
    scopes: readonly Scope[],
    expiresInMinutes: number | undefined,
  ): Promise<{ readonly communicationUserId: string; readonly token?: IssuedToken }> {
    if (this.sdk === 'administration') {
      return { communicationUserId: await this.#send('create', ({ identities }) => identities.create()) }
    }
    return this.#send('createWithToken', async (key) => {
      const created = await key.identities.createWithToken(scopes, { expiresInMinutes })
      return { communicationUserId: created.communicationUserId, token: { ...created, key } }
    })
  }

  issueToken(
    communicationUserId: string,
    scopes: readonly Scope[],
    expiresInMinutes: number | undefined,
  ): Promise<IssuedToken> {
    return this.#send('issueToken', async (key) => ({
      ...(await key.identities.issueToken(communicationUserId, scopes, { expiresInMinutes })),
      key,
    }))
  }

  revokeTokens(communicationUserId: string): Promise<void> {
    return this.#send('revokeTokens', ({ identities }) => identities.revokeTokens(communicationUserId))
  }

  delete(communicationUserId: string): Promise<void> {
    return this.#send('delete', ({ identities }) => identities.delete(communicationUserId))
  }

  exchangeTeamsToken(token: TeamsUserToken): Promise<AccessToken> {
    return this.#send('exchangeTeamsToken', ({ identities }) => identities.exchangeTeamsToken(token))
  }

  /** Checks each key, so that a rejected one is found before a user's request needs it. */
  async probe(): Promise<void> {
    const results = await Promise.allSettled(this.#keys.map((key, index) => this.#probeKey(key, index)))
    const failure = results.find((result) => result.status === 'rejected')
    if (failure) throw failure.reason
    if (this.#keys.every(({ isRejected }) => isRejected)) throw allKeysRejected()
  }

  async #probeKey(key: AccessKey, index: number): Promise<void> {
    try {
      await this.#guardedSend('delete', () => key.identities.delete(unownedUserId))
    } catch (error) {
      if (!(error instanceof CommunicationIdentityError)) throw error
      if (error.code === 'credentials-refused') return this.#markRejected(key)
      if (error.code === 'unavailable' || error.code === 'throttled') throw error
    }
    if (!key.isRejected) return
    this.#log.info({ key: key.name }, 'access key accepted again')
    this.#keys[index] = new AccessKey(key.name, key.identities)
  }

  async #send<Result>(operation: Operation, request: (key: AccessKey) => Promise<Result>): Promise<Result> {
    for (;;) {
      const key = this.#keys.find(({ isRejected }) => !isRejected)
      if (!key) throw allKeysRejected()
      try {
        return await this.#guardedSend(operation, () => request(key))
      } catch (error) {
        if (!(error instanceof CommunicationIdentityError && error.code === 'credentials-refused')) throw error
        this.#markRejected(key)
      }
    }
  }

  async #guardedSend<Result>(operation: Operation, request: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#guard.execute(request)
    } catch (error) {
      if (error instanceof CommunicationIdentityError && error.code === 'throttled') {
        this.#budgets[operation].pauseUntil(performance.now() + (error.retryAfterMs ?? defaultThrottleMs))
      }
      throw error
    }
  }

  #takeBudget(operation: Operation): void {
    const waitMs = this.#budgets[operation].take(performance.now())
    if (waitMs <= 0) return
    throw new ProblemError('communication-throttled', 'Request limit of Azure Communication Services reached.', {
      retryAfterMs: this.#guard.jitter(waitMs),
    })
  }

  #markRejected(key: AccessKey): void {
    if (key.isRejected) return
    key.isRejected = true
    this.#log.warn(
      { key: key.name },
      'access key rejected by ACS, dropping its tokens: copy the key again from the portal',
    )
  }
}

function allKeysRejected(): ProblemError {
  const detail =
    'Azure Communication Services rejected all credentials of this service. Check its connection strings or role.'
  return new ProblemError('communication-unavailable', detail, { retryAfterMs: rejectedRetryMs })
}

/** Whether a failed request certainly changed nothing. */
export function hadNoEffect(error: unknown): boolean {
  if (error instanceof ProblemError) return true
  return error instanceof CommunicationIdentityError && (error.hadNoEffect || error.code !== 'unavailable')
}
