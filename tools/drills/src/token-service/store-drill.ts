import { hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { audience } from '@acs-kit/test-support/sign-in-issuer'
import { StoreProxy } from '@acs-kit/test-support/store-proxy'
import type { TokenResponse } from '@acs-kit/token-contract'
import { CommunicationIdentityClient } from '@azure/communication-identity'
import { findUnavailableFlaw, type ServiceClient, type ServiceResponse } from './service-client.ts'
import { ServiceHarness } from './service-harness.ts'
import {
  acsFaults,
  allCombinations,
  storeFaults,
  storeRequests,
  type AcsState,
  type Combination,
  type StoreFault,
  type StoreRequest,
} from './store-faults.ts'

const upstreamDeadlineMs = 500
/** Time for a background operation of a request to begin. */
const backgroundMs = 300
/** The grace period of the reaper, its pause between two runs, and a margin. */
const recoveryMs = 2 * upstreamDeadlineMs + 20_000 + 2 * 10_000 + 30_000

/**
 * Breaks each store operation of each request in turn, in each state of ACS. Throws if a promise is broken after recovery and a
 * reaper run, if a request that got a 503 changed something, or if the service fails in any other way.
 */
export async function runStoreDrill(combinations: readonly Combination[] = allCombinations) {
  await using harness = await ServiceHarness.start()
  await using store = await StoreProxy.start(harness.backend.azurite.connectionString)
  const settings = {
    UPSTREAM_DEADLINE_MS: String(upstreamDeadlineMs),
    SIGN_IN_ISSUERS: JSON.stringify([{ issuer: harness.backend.issuer.issuer, audience, admin: 'admin' }]),
  }
  const { client: healthyClient } = await harness.startInstance(settings)
  const { client } = await harness.startInstance({
    ...settings,
    IDENTITY_STORE_CONNECTION_STRING: store.connectionString,
  })
  const drill = new StoreDrill(harness, store, client, healthyClient)
  for (const [fault, acs] of combinations) {
    for (const request of storeRequests) await drill.breakEachOperation(request, fault, acs)
  }
  return await drill.audit()
}

/** Expected state of a user's token and identity after recovery. */
interface Promised {
  /** Describes the request and its fault. */
  readonly what: string
  readonly issued: TokenResponse
  readonly promise: 'kept' | 'revoked' | 'deleted'
}

class StoreDrill {
  readonly #harness: ServiceHarness
  readonly #store: StoreProxy
  /** Client of the instance whose store fails. */
  readonly #client: ServiceClient
  /** Client of an instance whose store works. */
  readonly #healthyClient: ServiceClient
  readonly #acs: CommunicationIdentityClient
  readonly #promised: Promised[] = []
  readonly #statuses: Record<number, number> = {}
  #users = 0
  #faults = 0
  /** Keys of users whose creation ACS did not confirm: an identity with an unknown id may exist. */
  readonly #unconfirmedUsers = new Set<string>()

  constructor(harness: ServiceHarness, store: StoreProxy, client: ServiceClient, healthyClient: ServiceClient) {
    this.#harness = harness
    this.#store = store
    this.#client = client
    this.#healthyClient = healthyClient
    const { connectionString, ca } = harness.emulator
    this.#acs = new CommunicationIdentityClient(connectionString, { tlsOptions: { ca } })
  }

  /** Breaks one store operation of the request after the other, each with a new user. */
  async breakEachOperation(request: StoreRequest, fault: StoreFault, acs: AcsState): Promise<void> {
    for (let operation = 0; await this.#break(request, fault, acs, operation); operation++) this.#faults++
  }

  /** Returns whether the request had that many operations. */
  async #break(request: StoreRequest, fault: StoreFault, acs: AcsState, operation: number): Promise<boolean> {
    const what = `${request.request} (${request.user ?? 'known'}), ${acs}, ${fault} at operation ${operation}`
    const user = `user ${this.#users++}`
    const login = await this.#prepare(user, request)
    const userKey = request.request.includes('{}') ? await this.#findUserKey(user) : ''
    const body = request.request === 'POST /v1/token' ? {} : undefined
    const call = () => this.#client.call(request.request.replace('{}', userKey), request.asAdmin ? 'admin' : user, body)
    const { response, wasHit } = await this.#callWithFault(call, fault, acs, operation)
    const { status, text } = response
    const issued = await login?.token
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1
    const flaw = status >= 500 ? findUnavailableFlaw(response) : undefined
    if (flaw !== undefined) throw new Error(`${what}: ${flaw}`)
    if (status >= 400 && status !== 503) throw new Error(`${what}: ${status} ${text}`)
    if (request.promises) {
      if (issued) await this.#checkPromise(request, status, { what, issued, promise: request.promises }, user)
    } else if (status === 200 && request.request === 'POST /v1/token') {
      const token = JSON.parse(text) as TokenResponse
      const isSame = token.communicationUserId === issued?.communicationUserId
      if (issued && isSame === (request.user === 'deleted-at-acs')) throw new Error(`${what}: unexpected identity`)
      this.#promised.push({ what, issued: token, promise: 'kept' })
    }
    if (text.includes('communication-unavailable')) this.#unconfirmedUsers.add(this.#userKeyFor(user))
    return wasHit
  }

  async #callWithFault(call: () => Promise<ServiceResponse>, fault: StoreFault, acs: AcsState, operation: number) {
    const acsFault = acsFaults[acs]
    if (acsFault) await this.#harness.emulator.administer('POST', 'faults', acsFault)
    this.#store.requests.length = 0
    this.#store.state = storeFaults[fault](operation)
    const response = await call()
    const until = performance.now() + backgroundMs
    while (this.#store.requests.length <= operation && performance.now() < until) await sleep(5)
    const wasHit = this.#store.requests.length > operation
    this.#store.state = 'up'
    if (acsFault) await this.#harness.emulator.administer('DELETE', 'faults')
    return { response, wasHit }
  }

  async #checkPromise({ user: state }: StoreRequest, status: number, promised: Promised, user: string): Promise<void> {
    const { what, issued } = promised
    // A rejected request changes nothing, neither at once nor later.
    if (status !== 503) this.#promised.push(promised)
    else if (state !== 'logging-in-elsewhere') this.#promised.push({ ...promised, promise: 'kept' })
    if (state !== undefined) return
    const tokenState = await this.#harness.emulator.tokenState(issued.token)
    if (status === 204 && tokenState === 'valid') throw new Error(`${what}: got 204, but the token is valid`)
    if (status === 503) {
      if (tokenState !== 'valid') throw new Error(`${what}: got 503, but the token is ${tokenState}`)
      const { text } = await this.#healthyClient.call('GET /v1/identity', user)
      if (!text.includes(issued.communicationUserId)) throw new Error(`${what}: got 503, but the mapping is ${text}`)
    }
  }

  /** Waits for the reaper. Throws unless every promise is kept and every identity is mapped or journalled as lost. */
  async audit(): Promise<Record<string, unknown>> {
    const { emulator } = this.#harness
    const journal = await this.#harness.waitForReaper(recoveryMs)
    const falseAlarms = journal.filter(({ userKey }) => !this.#unconfirmedUsers.has(userKey))
    if (falseAlarms.length > 0)
      throw new Error(`journalled as lost, but confirmed by ACS: ${JSON.stringify(falseAlarms)}`)
    const identities = new Set(await emulator.identityIds())
    const mapped = new Set((await this.#harness.mappings()).values())
    const orphans = [...identities].filter((id) => !mapped.has(id))
    // ACS may create an identity after the service has given up waiting for it.
    if (orphans.length > journal.length) {
      throw new Error(`identities without a mapping: ${orphans.join(', ')}, journalled as lost: ${journal.length}`)
    }
    const dangling = [...mapped].filter((id) => !identities.has(id))
    for (const { what, issued, promise } of this.#promised) {
      const state = await emulator.tokenState(issued.token)
      const exists = identities.has(issued.communicationUserId)
      const isKept = promise === 'kept' ? state === 'valid' : state !== 'valid' && exists === (promise === 'revoked')
      if (!isKept) throw new Error(`${what}: promised ${promise}, but the token is ${state}`)
    }
    this.#harness.checkSecrets()
    return { faults: this.#faults, ...this.#statuses, promises: this.#promised.length, dangling: dangling.length }
  }

  /** Logs the user in at the healthy instance, or only starts the login. */
  async #prepare(user: string, request: StoreRequest): Promise<{ readonly token: Promise<TokenResponse> } | undefined> {
    if (request.user === 'new') return undefined
    if (request.user !== 'logging-in-elsewhere') {
      const issued = await this.#logIn(user)
      if (request.user === 'deleted-at-acs') await this.#acs.deleteUser(issued)
      return { token: Promise.resolve(issued) }
    }
    const delay = { operation: 'createIdentity', latencyMs: 250, count: 1 }
    await this.#harness.emulator.administer('POST', 'faults', delay)
    const before = await this.#countCreations()
    const token = this.#logIn(user)
    // On a busy machine the login may finish before its journal entry is seen.
    const until = performance.now() + 1000
    while (performance.now() < until && (await this.#countCreations()) <= before) await sleep(5)
    return { token }
  }

  async #logIn(user: string): Promise<TokenResponse> {
    const { status, text } = await this.#healthyClient.call('POST /v1/token', user, {})
    if (status === 200) return JSON.parse(text) as TokenResponse
    // A busy machine may miss the deadline.
    if (!text.includes('communication-unavailable'))
      throw new Error(`a login without a fault failed: ${status} ${text}`)
    this.#unconfirmedUsers.add(this.#userKeyFor(user))
    await sleep(1000)
    return this.#logIn(user)
  }

  async #countCreations(): Promise<number> {
    return (await this.#harness.journal()).filter(({ kind }) => kind === 'create').length
  }

  async #findUserKey(user: string): Promise<string> {
    const { text } = await this.#healthyClient.call(`GET /v1/users?subject=${encodeURIComponent(user)}`, 'admin')
    return (JSON.parse(text) as { users: { userKey: string }[] }).users[0]!.userKey
  }

  /** Derives the key under which the service stores a user. */
  #userKeyFor(subject: string): string {
    return hash('sha256', JSON.stringify(['oidc', this.#harness.backend.issuer.issuer, subject]), 'base64url')
  }
}
