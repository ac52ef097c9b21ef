import { defaultResourceName } from './access-key.ts'
import { createAdministrationAccess } from './administration/access.ts'
import type { Administration } from './administration/administration.ts'
import { createChat, type Chat } from './chat/chat.ts'
import type { ChatAdministration } from './chat/chat-administration.ts'
import { chatEventNames } from './chat/chat-event.ts'
import { chatOperations } from './chat/routes.ts'
import { realTimeOperations } from './chat/real-time/real-time.ts'
import { Clock } from './clock.ts'
import { createDispatcher } from './dispatcher.ts'
import { createEmulatedResources, type EmulatedResource, type EmulatedResources } from './emulated-resources.ts'
import type { EmulatorOptions } from './emulator-options.ts'
import { EntraPlane, entraOperations } from './entra/entra-plane.ts'
import { createNodeEnvironment } from './environment.ts'
import { FaultPlan } from './fault-plan.ts'
import { createHostnames, type Hostnames } from './hostnames.ts'
import { createAccessTokenSigner } from './identity/access-token.ts'
import { createAssignments, type Assignments, type ListedAssignment } from './identity/assignments.ts'
import { formatCommunicationUserId } from './identity/communication-user-id.ts'
import { createIdentities, type Identities, type ListedIdentity } from './identity/identities.ts'
import { createIdentityOperations } from './identity/identity-operations.ts'
import { createIdentityPlane } from './identity/identity-plane.ts'
import { createIssuedTokens } from './identity/issued-tokens.ts'
import { createRepeatableRequests } from './identity/repeatable-requests.ts'
import { identityOperations } from './identity/routes.ts'
import { createTokenIntrospection, type Introspection, type ListedToken } from './identity/token-introspection.ts'
import { createTokenIssuer } from './identity/token-issuer.ts'
import { InvalidSettingError } from './invalid-setting-error.ts'
import { QuotaCounter } from './quotas.ts'
import { RequestLog } from './request-log.ts'
import { ResourceManagerPlane, resourceManagerOperations } from './resource-manager/resource-manager-plane.ts'
import { Store } from './store.ts'
import type { KeyMaterial, TlsFiles } from './tls/key-material.ts'

/**
 * A running emulator, which `startEmulator` returns. The same operations are available over HTTP under `/_emulator/`.
 *
 * @example
 * await using emulator = await startEmulator({ quotas: true })
 * emulator.clock.advance(60 * 60_000)
 * const { accessToken } = await emulator.entra.signIn({ user: 'alice' })
 */
export class Emulator implements AsyncDisposable, Administration {
  /** PEM file of the certificate authority, for `NODE_EXTRA_CA_CERTS` of clients. */
  readonly caPath: string
  /** Certificate and private key of the emulator, for other servers on this machine that its clients must trust, such as Azurite. */
  readonly tlsFiles: TlsFiles
  /**
   * Token that pages send with changes under `/_emulator/`, as `Authorization: Bearer`. Pass it only to pages that your own server
   * serves.
   */
  readonly administrationToken: string
  /** Clock that tokens, revocations and quotas follow. */
  readonly clock = new Clock()
  /** Faults to inject. */
  readonly faults = new FaultPlan(
    [...identityOperations, ...chatOperations, ...realTimeOperations, ...entraOperations, ...resourceManagerOperations],
    chatEventNames,
  )
  /** Log of the last thousand requests. */
  readonly requests = new RequestLog()
  /** Limits of calls. */
  readonly quotas = new QuotaCounter(this.clock)
  /** Emulated Microsoft Entra ID. */
  readonly entra: EntraPlane
  /** Chat threads and messages, and acting as any user without a token. */
  readonly chat: ChatAdministration
  /** Emulated Azure Resource Manager. */
  readonly resourceManager: ResourceManagerPlane
  readonly #store: Store
  readonly #hostnames: Hostnames
  readonly #resources: EmulatedResources
  readonly #identities: Identities
  readonly #assignments: Assignments
  readonly #chat: Chat
  readonly #repeatable = createRepeatableRequests()
  readonly #introspection: ReturnType<typeof createTokenIntrospection>
  #isReady = false
  #stopped: Promise<void> | undefined

  /** @internal */
  constructor(options: EmulatorOptions, material: KeyMaterial) {
    const { host, hostnames: names = [], loose = false, strict = false, quotas = false, log = () => {} } = options
    const { clock } = this
    const hostnames = (this.#hostnames = createHostnames(names, host))
    const access = createAdministrationAccess(hostnames, options.administrationToken)
    this.administrationToken = access.token
    this.caPath = material.caPath
    this.tlsFiles = material.tlsFiles
    this.quotas.set(quotas)
    const store = (this.#store = new Store(options.dataFolder))
    const signer = createAccessTokenSigner(material.signingKey)
    const tokens = createIssuedTokens(store, clock)
    this.#identities = createIdentities(store, clock)
    this.#assignments = createAssignments(store, tokens)
    this.#introspection = createTokenIntrospection(store, clock, signer, this.#identities, tokens)
    this.entra = new EntraPlane(store, clock, hostnames, () => this.#resources.find(defaultResourceName)!.listener.port)
    const entraTokens = this.entra.tokens
    const operations = createIdentityOperations({
      identities: this.#identities,
      assignments: this.#assignments,
      repeatable: this.#repeatable,
      tokens,
      issuer: createTokenIssuer(tokens, clock, signer),
      clock,
      quotas: this.quotas,
      entraTokens,
      strict,
    })
    this.#chat = createChat({
      store,
      clock,
      quotas: this.quotas,
      faults: this.faults,
      requests: this.requests,
      identities: this.#identities,
      strict,
      introspect: this.#introspection.introspect,
    })
    this.chat = this.#chat.administration
    this.#resources = createEmulatedResources({
      store,
      hostnames,
      host,
      isShared: names.length > 0,
      certificate: material.certificate,
      privateKey: material.privateKey,
      handle: (request, resource) => dispatcher.handle(request, resource),
      upgrade: (request, socket, head, resource) => dispatcher.upgrade(request, socket, head, resource),
    })
    this.resourceManager = new ResourceManagerPlane({
      store,
      entraTokens,
      liveResources: this.#resources,
      origin: () => this.endpoint.slice(0, -1),
    })
    const dispatcher = createDispatcher({
      emulator: this,
      identity: createIdentityPlane(operations, entraTokens, { loose }),
      chat: this.#chat,
      resourceManager: this.resourceManager,
      hostnames,
      access,
      log,
      isStopped: () => this.#stopped !== undefined,
    })
  }

  /** @internal Opens the ports of the resources. */
  async open({ port = 0, accessKey, resources = [] }: EmulatorOptions): Promise<void> {
    const main = { name: defaultResourceName, port, ...(accessKey !== undefined && { accessKey }) }
    for (const options of [main, ...resources]) await this.#resources.open(options)
    await this.resourceManager.restore()
    this.#isReady = true
  }

  /** The default resource, followed by the others in the order of the options. */
  get resources(): readonly EmulatedResource[] {
    return this.#resources.list()
  }

  /** Whether every resource accepts requests. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** Endpoint of the default resource. */
  get endpoint(): string {
    return this.resources[0]!.endpoint
  }

  /** Connection string of the default resource, with its current primary key. */
  get connectionString(): string {
    return this.resources[0]!.connectionString
  }

  /** Current primary key of the default resource, base64. */
  get accessKey(): string {
    return this.resources[0]!.accessKey
  }

  /**
   * Creates environment variables with which a Node program trusts the emulator and reaches it without a proxy.
   *
   * @param inherited The program's other variables, whose certificates and proxy exceptions are kept; default: this process's.
   * @returns The variables to add.
   *
   * @example
   * spawn('node', ['app.js'], { env: { ...process.env, ...emulator.nodeEnvironment() } })
   */
  nodeEnvironment(inherited: NodeJS.ProcessEnv = process.env): Record<string, string> {
    return createNodeEnvironment(this.caPath, inherited, this.#hostnames.names)
  }

  /**
   * Creates an identity without an access key.
   *
   * @param options `customId`: returns the identity that already has this id, if any; `resource`: name, by default `default`.
   * @returns The communication user id.
   * @throws {InvalidSettingError} The resource does not exist.
   *
   * @example
   * const bob = emulator.createIdentity()
   */
  createIdentity(options: { customId?: string; resource?: string } = {}): string {
    const { customId, resource: name = defaultResourceName } = options
    const resource = this.#resources.find(name)?.resource
    if (!resource) throw new InvalidSettingError(`unknown resource ${name}: use one that \`resources\` lists`)
    const { id, tail } = this.#identities.create(resource, customId)
    return formatCommunicationUserId(resource.immutableId, id, tail)
  }

  /**
   * Lists the identities of all resources, oldest first.
   *
   * @param page `after`: the communication user id that precedes the page; `limit`: the maximum number, default 1000;
   *   `newest`: list only the newest ones, at most this many.
   * @returns A page of identities.
   */
  identities(page: { after?: string; limit?: number; newest?: number } = {}): ListedIdentity[] {
    return this.#identities.list(page)
  }

  /**
   * Lists the assignments of all resources, which let Entra ID users exchange their tokens.
   *
   * @returns The assignments of the Teams extension, and those of other Entra ID users.
   */
  assignments(): ListedAssignment[] {
    return this.#assignments.listAll()
  }

  /**
   * Lists issued tokens, oldest first, up to a day after their expiry.
   *
   * @param query `communicationUserId`: only tokens of this identity; `newest`: only the newest ones, at most this many;
   *   `reveal`: include the text of the tokens.
   * @returns The tokens with their state.
   */
  tokens(query: { communicationUserId?: string; newest?: number; reveal?: boolean } = {}): Promise<ListedToken[]> {
    return this.#introspection.list(query)
  }

  /**
   * Returns the current state of a token.
   *
   * @param token Text of the token, from any source.
   * @returns The state, and the token's owner and lifetime unless it is `foreign`.
   *
   * @example
   * expect(emulator.introspect(token).state).toBe('revoked')
   */
  introspect(token: string): Introspection {
    return this.#introspection.introspect(token)
  }

  /** Deletes identities, tokens, assignments, chat, managed resources, faults, quota counts and logged requests, and resets the clock. Keeps keys. */
  async reset(): Promise<void> {
    this.#identities.clear()
    this.#assignments.clear()
    this.#chat.clear()
    this.#repeatable.clear()
    this.entra.reset()
    this.faults.clear()
    this.quotas.clear()
    this.requests.clear()
    this.clock.reset()
    await this.resourceManager.clear()
  }

  /** Stops the emulator. */
  [Symbol.asyncDispose](): Promise<void> {
    return (this.#stopped ??= this.#stop())
  }

  async #stop(): Promise<void> {
    this.#isReady = false
    this.#chat.stop()
    await this.#resources.stop()
    this.#store[Symbol.dispose]()
  }
}
