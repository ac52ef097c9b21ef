import {
  CommunicationIdentityError,
  type AccessToken,
  type CommunicationIdentities,
  type Operation,
  type Scope,
  type TeamsAssignment,
  type TeamsPrincipal,
  type TeamsUserToken,
} from '@acs-kit/communication-identity'
import { connectAll } from '../connections.ts'
import { ProblemError } from '../problems/problem-error.ts'
import type { ServiceOptions } from '../service-options.ts'
import { runStep } from '../steps.ts'
import { createUpstreamGuard } from '../upstream-guard.ts'
import { createRequestBudgets } from './request-budgets.ts'

const maxConcurrent = 200
const openForMs = 2000
/** `Retry-After` while ACS rejects all keys: the interval of the health check, which notices when it accepts one again. */
const rejectedRetryMs = 30_000
const defaultThrottleMs = 1000

/** Id that no resource owns. Deleting it checks whether a key is accepted, and changes nothing. */
const unownedUserId = '8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000'

/** A credential of the resource. Cached tokens remember theirs: regenerating a key revokes the tokens that it issued. */
export interface AccessKey {
  readonly name: string
  readonly identities: CommunicationIdentities
  /** Whether ACS rejected the key. Final: if the key is accepted again, a new object replaces this one. */
  isRejected: boolean
}

export interface IssuedToken extends AccessToken {
  readonly key: AccessKey
}

export type Communication = Awaited<ReturnType<typeof createCommunication>>

/**
 * Creates the client of Azure Communication Services (ACS). It observes the request limits, has a circuit breaker, and uses the
 * other key when one is rejected. Its requests reject with a `CommunicationIdentityError` or a `ProblemError`.
 */
export async function createCommunication(
  { settings, log, random }: ServiceOptions,
  onAttempt: (operation: Operation) => void,
) {
  const sdk = settings.ACS_SDK
  const budgets = createRequestBudgets(settings.INSTANCES)
  const guard = createUpstreamGuard({
    name: 'Azure Communication Services',
    code: 'communication-unavailable',
    isFailure: (error) => error instanceof CommunicationIdentityError && error.code === 'unavailable',
    maxConcurrent,
    openForMs,
    random,
  })
  /** Access keys in order of preference. */
  const keys: AccessKey[] = await connectAll(settings, (operation) => {
    takeBudget(operation)
    onAttempt(operation)
  })
  /** The resource's endpoint, which the clients of the SDKs need. */
  const { endpoint } = keys[0]!.identities

  /** Creates an identity, and its first token if the SDK does both in one request. */
  async function create(
    scopes: readonly Scope[],
    expiresInMinutes: number | undefined,
  ): Promise<{ readonly communicationUserId: string; readonly token?: IssuedToken }> {
    if (sdk === 'administration') {
      return { communicationUserId: await send('create', ({ identities }) => identities.create()) }
    }
    return send('createWithToken', async (key) => {
      const created = await key.identities.createWithToken(scopes, { expiresInMinutes })
      return { communicationUserId: created.communicationUserId, token: { ...created, key } }
    })
  }

  function issueToken(
    communicationUserId: string,
    scopes: readonly Scope[],
    expiresInMinutes: number | undefined,
  ): Promise<IssuedToken> {
    return send('issueToken', async (key) => ({
      ...(await key.identities.issueToken(communicationUserId, scopes, { expiresInMinutes })),
      key,
    }))
  }

  /** Checks each key, so that a rejected one is found before a user's request needs it. */
  async function probe(): Promise<void> {
    const probes = keys.map(probeKey)
    await Promise.allSettled(probes)
    await Promise.all(probes)
    if (keys.every(({ isRejected }) => isRejected)) throw allKeysRejected()
  }

  async function probeKey(key: AccessKey, index: number): Promise<void> {
    try {
      await guardedSend('delete', () => key.identities.delete(unownedUserId))
    } catch (error) {
      if (!(error instanceof CommunicationIdentityError)) throw error
      if (error.code === 'credentials-rejected') return markRejected(key)
      if (error.code === 'unavailable' || error.code === 'throttled') throw error
    }
    if (!key.isRejected) return
    log.info({ key: key.name }, 'access key accepted again')
    keys[index] = { ...key, isRejected: false }
  }

  async function send<Result>(operation: Operation, request: (key: AccessKey) => Promise<Result>): Promise<Result> {
    for (;;) {
      const key = keys.find(({ isRejected }) => !isRejected)
      if (!key) throw allKeysRejected()
      try {
        return await guardedSend(operation, () => request(key))
      } catch (error) {
        if (!(error instanceof CommunicationIdentityError && error.code === 'credentials-rejected')) throw error
        markRejected(key)
      }
    }
  }

  async function guardedSend<Result>(operation: Operation, request: () => Promise<Result>): Promise<Result> {
    try {
      return await runStep({ name: operation, peer: 'Azure Communication Services' }, () => guard.execute(request))
    } catch (error) {
      if (error instanceof CommunicationIdentityError && error.code === 'throttled') {
        budgets[operation].pauseUntil(performance.now() + (error.retryAfterMs ?? defaultThrottleMs))
      }
      throw error
    }
  }

  function takeBudget(operation: Operation): void {
    const waitMs = budgets[operation].take(performance.now())
    if (waitMs <= 0) return
    throw new ProblemError('communication-throttled', 'Request limit of Azure Communication Services reached.', {
      retryAfterMs: guard.jitter(waitMs),
    })
  }

  function markRejected(key: AccessKey): void {
    if (key.isRejected) return
    key.isRejected = true
    log.warn({ key: key.name }, 'access key rejected by ACS, dropping its tokens: copy the key again from the portal')
  }

  return {
    sdk,
    endpoint,
    keys: keys as readonly Readonly<AccessKey>[],
    isCircuitOpen: guard.isCircuitOpen,
    create,
    issueToken,
    revokeTokens: (userId: string) => send('revokeTokens', ({ identities }) => identities.revokeTokens(userId)),
    delete: (userId: string) => send('delete', ({ identities }) => identities.delete(userId)),
    exchangeTeamsToken: (token: TeamsUserToken) =>
      send('exchangeTeamsToken', ({ identities }) => identities.exchangeTeamsToken(token)),
    getTeamsAssignment: (principal: TeamsPrincipal) =>
      send('getTeamsAssignment', ({ identities }) => identities.getTeamsAssignment(principal)),
    putTeamsAssignment: (principal: TeamsPrincipal, assignment: TeamsAssignment) =>
      send('putTeamsAssignment', ({ identities }) => identities.putTeamsAssignment(principal, assignment)),
    deleteTeamsAssignment: (principal: TeamsPrincipal) =>
      send('deleteTeamsAssignment', ({ identities }) => identities.deleteTeamsAssignment(principal)),
    probe,
  }
}

function allKeysRejected(): ProblemError {
  const detail =
    'Azure Communication Services rejected all credentials of this service. Check its connection strings or role.'
  return new ProblemError('communication-unavailable', detail, { retryAfterMs: rejectedRetryMs })
}

/** Returns whether a failed request certainly changed nothing. */
export function hadNoEffect(error: unknown): boolean {
  if (error instanceof ProblemError) return true
  return error instanceof CommunicationIdentityError && (error.hadNoEffect || error.code !== 'unavailable')
}
