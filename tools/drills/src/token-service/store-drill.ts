import { hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { CommunicationIdentityClient } from '@azure/communication-identity'
import { StoreProxy, type StoreState } from '@acs-kit/test-support/store-proxy'
import { DrillStage } from './drill-stage.ts'
import { findRefusalFlaw, type IssuedToken, type ServiceAnswer, type ServiceClient } from './service-client.ts'

const upstreamDeadlineMs = 500
/** How long an operation in the background of a response may take to begin. */
const backgroundMs = 300
/** The reaper's grace, its pause between two runs, and a little more. */
const recoveryMs = 2 * upstreamDeadlineMs + 20_000 + 2 * 10_000 + 30_000

/** State of the store at each operation, by its index, for a fault at `faulty`; the SDK retries broken operations. */
const storeFaults = {
  'request lost': (faulty) => (index) => (index === faulty ? 'cut' : 'up'),
  'response lost': (faulty) => (index) => (index === faulty ? 'cut-after' : 'up'),
  'store gone': (faulty) => (index) => (index >= faulty ? 'cut' : 'up'),
  'store gone after the work': (faulty) => (index) => (index > faulty ? 'cut' : index === faulty ? 'cut-after' : 'up'),
  'store hangs': (faulty) => (index) => (index >= faulty ? 'hang' : 'up'),
} as const satisfies Record<string, (faulty: number) => (index: number) => StoreState>
type StoreFault = keyof typeof storeFaults

const azureFaults = {
  'Azure is up': undefined,
  'Azure is down': { status: 503 },
  'Azure throttles': { status: 429, retryAfterSeconds: 1 },
} as const
type AzureState = keyof typeof azureFaults

type Combination = readonly [StoreFault, AzureState]
const allCombinations = (Object.keys(azureFaults) as AzureState[]).flatMap((azure) =>
  (Object.keys(storeFaults) as StoreFault[]).map((fault): Combination => [fault, azure]),
)

interface Caller {
  /** `{}` is the user's key. */
  readonly request: string
  /** Signs in as an administrator. */
  readonly asAdmin?: boolean
  /** Default: the user has an identity, and this instance does not know it. */
  readonly user?: 'new' | 'deleted-at-azure' | 'logging-in-elsewhere'
  readonly promises?: 'revoked' | 'deleted'
}

/** Every caller of the store. */
const callers: readonly Caller[] = [
  { request: 'POST /v1/token', user: 'new' },
  { request: 'POST /v1/token' },
  { request: 'POST /v1/token', user: 'deleted-at-azure' },
  { request: 'GET /v1/identity' },
  { request: 'GET /v1/users?limit=1', asAdmin: true },
  { request: 'POST /v1/token/revoke', promises: 'revoked' },
  { request: 'POST /v1/users/{}/token/revoke', asAdmin: true, promises: 'revoked' },
  { request: 'DELETE /v1/identity', promises: 'deleted' },
  { request: 'DELETE /v1/users/{}', asAdmin: true, promises: 'deleted' },
  { request: 'DELETE /v1/identity', user: 'new', promises: 'deleted' },
  { request: 'DELETE /v1/identity', user: 'logging-in-elsewhere', promises: 'deleted' },
]

/**
 * Breaks each store operation of each caller in turn, in each state of Azure. Throws if a promise is broken after recovery and a
 * reaper run, if a 503 changed something, or if the service fails in any other way.
 */
export async function drillStoreFaults(combinations: readonly Combination[] = allCombinations) {
  await using drill = await StoreDrill.start()
  for (const [fault, azure] of combinations) {
    for (const caller of callers) {
      await drill.breakEach(caller, fault, azure)
    }
  }
  return await drill.audit()
}

/** Expected state of a user's token and identity after recovery. */
interface Promised {
  readonly what: string
  readonly issued: IssuedToken
  readonly promise: 'kept' | 'revoked' | 'deleted'
}

class StoreDrill implements AsyncDisposable {
  readonly #parts: AsyncDisposableStack
  readonly #stage: DrillStage
  readonly #store: StoreProxy
  /** The instance whose store breaks. */
  readonly #client: ServiceClient
  /** Another one, whose store does not. */
  readonly #healthy: ServiceClient
  readonly #azure: CommunicationIdentityClient
  readonly #promised: Promised[] = []
  readonly #statuses: Record<number, number> = {}
  #users = 0
  #faults = 0
  /** Users with a creation that Azure did not confirm: an identity with an unknown id may exist. */
  readonly #unreported = new Set<string>()

  private constructor(
    parts: AsyncDisposableStack,
    stage: DrillStage,
    store: StoreProxy,
    { client, healthy }: { client: ServiceClient; healthy: ServiceClient },
  ) {
    this.#parts = parts
    this.#stage = stage
    this.#store = store
    this.#client = client
    this.#healthy = healthy
    this.#azure = new CommunicationIdentityClient(stage.stack.emulator.connectionString, {
      tlsOptions: { ca: stage.stack.emulator.ca },
    })
  }

  static async start(): Promise<StoreDrill> {
    await using parts = new AsyncDisposableStack()
    const stage = parts.use(await DrillStage.start())
    const store = parts.use(await StoreProxy.start(stage.stack.azurite.connectionString))
    const [issuer] = JSON.parse(stage.stack.env['SIGN_IN_ISSUERS']!) as object[]
    const env = {
      UPSTREAM_DEADLINE_MS: String(upstreamDeadlineMs),
      SIGN_IN_ISSUERS: JSON.stringify([{ ...issuer, admin: 'admin' }]),
    }
    const { client: healthy } = await stage.startInstance(env)
    const { client } = await stage.startInstance({ ...env, IDENTITY_STORE_CONNECTION_STRING: store.connectionString })
    return new StoreDrill(parts.move(), stage, store, { client, healthy })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync()
  }

  /** Breaks the caller's operations one after the other, each with a user of its own. */
  async breakEach(caller: Caller, fault: StoreFault, azure: AzureState): Promise<void> {
    for (let operation = 0; ; operation++) {
      const what = `${caller.request} (${caller.user ?? 'known'}), ${azure}, ${fault} at operation ${operation}`
      if (!(await this.#break(caller, { what, azure, state: storeFaults[fault](operation), operation }))) return
      this.#faults++
    }
  }

  /** Returns whether the request had that many operations. */
  async #break(
    caller: Caller,
    fault: {
      readonly what: string
      readonly azure: AzureState
      readonly state: (index: number) => StoreState
      readonly operation: number
    },
  ): Promise<boolean> {
    const { what } = fault
    const user = `user ${this.#users++}`
    const login = await this.#prepare(user, caller)
    const userKey = caller.request.includes('{}') ? await this.#findUserKey(user) : ''
    const { answer, wasHit } = await this.#callWithFault(caller, userKey, user, fault)
    const issued = await login?.token
    this.#statuses[answer.status] = (this.#statuses[answer.status] ?? 0) + 1
    const flaw = answer.status >= 500 ? findRefusalFlaw(answer) : undefined
    if (flaw !== undefined) throw new Error(`${what}: ${flaw}`)
    if (answer.status >= 400 && answer.status !== 503) throw new Error(`${what}: ${answer.status} ${answer.text}`)
    if (caller.promises) {
      if (issued) await this.#checkPromise(caller, answer, { what, issued, user })
    } else if (answer.status === 200 && caller.request === 'POST /v1/token') {
      const token = JSON.parse(answer.text) as IssuedToken
      const isSame = token.communicationUserId === issued?.communicationUserId
      if (issued && isSame === (caller.user === 'deleted-at-azure')) throw new Error(`${what}: not the user's identity`)
      this.#promised.push({ what, issued: token, promise: 'kept' })
    }
    if (answer.text.includes('communication-unavailable'))
      this.#unreported.add(userKeyFor(this.#stage.stack.issuer.issuer, user))
    return wasHit
  }

  async #callWithFault(
    caller: Caller,
    userKey: string,
    user: string,
    { azure, state, operation }: { azure: AzureState; state: (index: number) => StoreState; operation: number },
  ): Promise<{ answer: ServiceAnswer; wasHit: boolean }> {
    const armed = azureFaults[azure]
    if (armed) await this.#stage.stack.emulator.administer('POST', 'faults', armed)
    this.#store.requests.length = 0
    this.#store.state = state
    const body = caller.request === 'POST /v1/token' ? {} : undefined
    const answer = await this.#client.call(caller.request.replace('{}', userKey), caller.asAdmin ? 'admin' : user, body)
    const until = performance.now() + backgroundMs
    while (this.#store.requests.length <= operation && performance.now() < until) await sleep(5)
    const wasHit = this.#store.requests.length > operation
    this.#store.state = 'up'
    if (armed) await this.#stage.stack.emulator.administer('DELETE', 'faults')
    return { answer, wasHit }
  }

  async #checkPromise(
    { promises, user: state }: Caller,
    { status }: ServiceAnswer,
    { what, issued, user }: { what: string; issued: IssuedToken; user: string },
  ): Promise<void> {
    // A rejected request changes nothing, neither at once nor later.
    if (state !== 'logging-in-elsewhere' || status !== 503) {
      this.#promised.push({ what, issued, promise: status === 503 ? 'kept' : promises! })
    }
    if (state !== undefined) return
    const tokenState = await this.#stage.stack.emulator.tokenState(issued.token)
    if (status === 204 && tokenState === 'valid') throw new Error(`${what}: done, but the token is valid`)
    if (status === 503) {
      if (tokenState !== 'valid') throw new Error(`${what}: refused, but the token is ${tokenState}`)
      const { text } = await this.#healthy.call('GET /v1/identity', user)
      if (!text.includes(issued.communicationUserId)) throw new Error(`${what}: refused, but the mapping is ${text}`)
    }
  }

  /** Waits for the reaper. Throws unless every promise is kept and every identity belongs to a mapping. */
  async audit(): Promise<Record<string, unknown>> {
    let journal = await this.#stage.journal()
    for (const until = Date.now() + recoveryMs; journal.some(({ kind }) => kind !== 'lost') && Date.now() < until;) {
      await sleep(500)
      journal = await this.#stage.journal()
    }
    const open = journal.filter(({ kind }) => kind !== 'lost')
    if (open.length > 0) throw new Error(`the reaper left ${JSON.stringify(open)}`)
    const falseAlarms = journal.filter(({ userKey }) => !this.#unreported.has(userKey))
    if (falseAlarms.length > 0) throw new Error(`lost, but Azure reported them: ${JSON.stringify(falseAlarms)}`)
    const identities = new Set(await this.#stage.stack.emulator.identityIds())
    const mapped = new Set((await this.#stage.mappings()).values())
    const unnamed = [...identities].filter((id) => !mapped.has(id))
    if (unnamed.length > 0) throw new Error(`identities that no mapping names: ${unnamed.join(', ')}`)
    const dangling = [...mapped].filter((id) => !identities.has(id))
    for (const { what, issued, promise } of this.#promised) {
      const state = await this.#stage.stack.emulator.tokenState(issued.token)
      const isAlive = identities.has(issued.communicationUserId)
      const isKept = promise === 'kept' ? state === 'valid' : state !== 'valid' && isAlive === (promise === 'revoked')
      if (!isKept) throw new Error(`${what}: promised ${promise}, but the token is ${state}`)
    }
    this.#stage.checkSecrets()
    return { faults: this.#faults, ...this.#statuses, promises: this.#promised.length, dangling: dangling.length }
  }

  /** Logs the user in at the healthy instance, or only begins to. */
  async #prepare(user: string, caller: Caller): Promise<{ readonly token: Promise<IssuedToken> } | undefined> {
    if (caller.user === 'new') return undefined
    if (caller.user !== 'logging-in-elsewhere') {
      const issued = await this.#logIn(user)
      if (caller.user === 'deleted-at-azure') await this.#azure.deleteUser(issued)
      return { token: Promise.resolve(issued) }
    }
    await this.#stage.stack.emulator.administer('POST', 'faults', {
      operation: 'createIdentity',
      latencyMs: 250,
      count: 1,
    })
    const before = await this.#creations()
    const token = this.#logIn(user)
    // On a busy machine the login may be over before its entry is seen.
    const until = performance.now() + 1000
    while (performance.now() < until && (await this.#creations()) <= before) await sleep(5)
    return { token }
  }

  async #logIn(user: string): Promise<IssuedToken> {
    const { status, text } = await this.#healthy.call('POST /v1/token', user, {})
    if (status === 200) return JSON.parse(text) as IssuedToken
    // This machine is too busy for the deadline.
    if (!text.includes('communication-unavailable')) throw new Error(`a login at a healthy store: ${status} ${text}`)
    this.#unreported.add(userKeyFor(this.#stage.stack.issuer.issuer, user))
    await sleep(1000)
    return this.#logIn(user)
  }

  async #creations(): Promise<number> {
    return (await this.#stage.journal()).filter(({ kind }) => kind === 'create').length
  }

  async #findUserKey(user: string): Promise<string> {
    const { text } = await this.#healthy.call(`GET /v1/users?subject=${encodeURIComponent(user)}`, 'admin')
    return (JSON.parse(text) as { users: { userKey: string }[] }).users[0]!.userKey
  }
}

/** The key under which the service stores a user, as it derives it. */
function userKeyFor(issuer: string, subject: string): string {
  return hash('sha256', JSON.stringify(['oidc', issuer, subject]), 'base64url')
}
