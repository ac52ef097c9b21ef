import { setTimeout as sleep } from 'node:timers/promises'
import { AdministrationPlane, type Administration } from './administration-plane.ts'
import { Clock } from './clock.ts'
import { decodePath, headerOf, type Answer, type Exchange } from './exchange.ts'
import { EntraPlane, entraCorsHeaders, entraOperations } from './entra/entra-plane.ts'
import { FaultPlan, type Fault } from './faults.ts'
import { AccessTokenSigner } from './identity/access-token.ts'
import { corsHeaders, isPreflight } from './identity/cors.ts'
import { Identities, type Introspection, type ListedIdentity, type ListedToken } from './identity/identities.ts'
import { IdentityPlane } from './identity/plane.ts'
import { identityOperations } from './identity/routes.ts'
import { nodeEnvironment } from './environment.ts'
import { Listener } from './listener.ts'
import { bypassProxies, isTrustedHost } from './loopback.ts'
import { QuotaCounter, type Quotas } from './quotas.ts'
import { RequestLog } from './request-log.ts'
import { armHeaders } from './resource-manager/arm-headers.ts'
import {
  communicationService,
  reviveCommunicationServices,
  type LiveResources,
} from './resource-manager/communication-service.ts'
import { plainTypes } from './resource-manager/plain-types.ts'
import { ResourceManagerPlane, resourceManagerOperations } from './resource-manager/resource-manager-plane.ts'
import {
  defaultResourceName,
  formatConnectionString,
  Resource,
  type KeySlot,
  type ResourceOptions,
} from './resource.ts'
import { Store } from './store.ts'
import { defaultKeyFolder, openKeyMaterial, type TlsFiles } from './tls/key-material.ts'
import { trustInProcess } from './tls/trust.ts'

export interface EmulatorOptions {
  /** Port of the default resource; 0, the default, takes a free one. */
  readonly port?: number
  /** Address to listen on; default: both loopback addresses, 127.0.0.1 and ::1. */
  readonly host?: string
  /** Primary access key of the default resource, base64; by default the well-known one. */
  readonly accessKey?: string
  /** Further resources, each on a port of its own. */
  readonly resources?: readonly ResourceOptions[]
  /** Folder that keeps the state across restarts; by default it is kept in memory only. */
  readonly dataFolder?: string
  /** Folder of the certificate authority and the other key material; default: one per user. */
  readonly keyFolder?: string
  /** Whether this process trusts the emulator's certificates from now on, and reaches loopback addresses without a proxy; default true. */
  readonly trust?: boolean
  /** Accepts any date of a request, and api-versions that the service was never seen to serve. Default false. */
  readonly loose?: boolean
  /** Rejects body members that the api-version does not know, instead of ignoring them. Default false. */
  readonly strict?: boolean
  /** `true` for the service's documented limits; default none. */
  readonly quotas?: Quotas | boolean
  /** Receives a line for each refused request and each fault; default: nobody. */
  readonly log?: (line: string) => void
}

/** A resource of a running emulator, as its clients see it. */
export interface EmulatedResource {
  readonly name: string
  /** `https://localhost:<port>/`, with the slash that Azure's own endpoints end in. */
  readonly endpoint: string
  /** With the primary key of this moment. */
  readonly connectionString: string
  readonly accessKey: string
  readonly secondaryConnectionString: string
  /** The GUID in the ids of its identities. */
  readonly immutableResourceId: string
  /** Replaces a key and returns the new one: the former is refused, the tokens issued with it are revoked. */
  regenerateKey(slot: KeySlot): string
}

/**
 * Starts an emulator in this process. Dispose it to stop it: `await using emulator = await startEmulator()`.
 * Throws when a port is taken or the data folder is in use.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  return Emulator.start(options)
}

/** Puts the planes together, and is what can be asked of them in process: long for the number of its members, each of them short. */
export class Emulator implements AsyncDisposable, Administration {
  /** PEM file of the authority that clients have to trust, as `NODE_EXTRA_CA_CERTS` takes it. */
  readonly caPath: string
  /** What it serves with, for other servers of this machine that its clients have to trust too, such as Azurite. */
  readonly tlsFiles: TlsFiles
  readonly clock = new Clock()
  readonly faults = new FaultPlan([...identityOperations, ...entraOperations, ...resourceManagerOperations])
  readonly requests = new RequestLog()
  readonly quotas = new QuotaCounter(this.clock)
  /** Sign-in, as Microsoft Entra ID has it. */
  readonly entra: EntraPlane
  /** Stand-in for Azure Resource Manager. */
  readonly resourceManager: ResourceManagerPlane
  readonly #resources: OpenResource[] = []
  readonly #host: string | undefined
  readonly #material: Awaited<ReturnType<typeof openKeyMaterial>>
  readonly #store: Store
  readonly #identities: Identities
  readonly #identityPlane: IdentityPlane
  readonly #administrationPlane = new AdministrationPlane(this)
  readonly #log: (line: string) => void
  #isReady = false
  #stopped: Promise<void> | undefined

  private constructor(options: EmulatorOptions, material: Awaited<ReturnType<typeof openKeyMaterial>>) {
    this.caPath = material.caPath
    this.tlsFiles = material.tlsFiles
    this.#host = options.host
    this.#material = material
    this.#log = options.log ?? (() => {})
    this.quotas.set(options.quotas ?? false)
    this.#store = new Store(options.dataFolder)
    this.#identities = new Identities(this.#store, this.clock, new AccessTokenSigner(material.signingKey))
    this.entra = new EntraPlane(this.#store, this.clock, () => this.endpoint.slice(0, -1))
    this.#identityPlane = new IdentityPlane({
      identities: this.#identities,
      clock: this.clock,
      quotas: this.quotas,
      entraTokens: this.entra.tokens,
      loose: options.loose ?? false,
      strict: options.strict ?? false,
    })
    this.resourceManager = new ResourceManagerPlane({
      store: this.#store,
      entraTokens: this.entra.tokens,
      types: [
        communicationService(this.#live),
        ...plainTypes(
          () => this.resourceManager.tableEndpoint,
          () => this.resourceManager.tableKeys,
        ),
      ],
      origin: () => this.endpoint.slice(0, -1),
    })
  }

  /** @internal */
  static async start(options: EmulatorOptions): Promise<Emulator> {
    const material = await openKeyMaterial(options.keyFolder ?? defaultKeyFolder(), options.dataFolder)
    const emulator = new Emulator(options, material)
    try {
      const { port = 0, accessKey } = options
      const main = { name: defaultResourceName, port, ...(accessKey !== undefined && { accessKey }) }
      for (const resourceOptions of [main, ...(options.resources ?? [])]) await emulator.#open(resourceOptions)
      await reviveCommunicationServices(emulator.#live, emulator.resourceManager.resources())
    } catch (error) {
      await emulator[Symbol.asyncDispose]()
      throw error
    }
    if (options.trust ?? true) {
      trustInProcess(material.ca)
      bypassProxies()
    }
    emulator.#isReady = true
    return emulator
  }

  /** The default resource, then the others in the order of the options. */
  get resources(): readonly EmulatedResource[] {
    return this.#resources.map(({ emulated }) => emulated)
  }

  get isReady(): boolean {
    return this.#isReady
  }

  get endpoint(): string {
    return this.#resources[0]!.emulated.endpoint
  }

  get connectionString(): string {
    return this.#resources[0]!.emulated.connectionString
  }

  get accessKey(): string {
    return this.#resources[0]!.emulated.accessKey
  }

  /** Variables with which a Node program, started with the rest of `inherited`, trusts the emulator and reaches it without a proxy. */
  nodeEnvironment(inherited: NodeJS.ProcessEnv = process.env): Record<string, string> {
    return nodeEnvironment(this.caPath, inherited)
  }

  /** Identities of all resources, oldest first, at most `limit` of them after the one named by `after`. */
  identities(page: { after?: string; limit?: number } = {}): ListedIdentity[] {
    return this.#identities.list(page)
  }

  /** What was issued and is still remembered (a day beyond its end), oldest first; the token's text only on request. */
  tokens(query: { communicationUserId?: string; reveal?: boolean } = {}): Promise<ListedToken[]> {
    return this.#identities.listTokens(query)
  }

  /** What the service would think of a token now. */
  introspect(token: string): Introspection {
    return this.#identities.introspect(token)
  }

  /** Forgets identities, tokens, managed resources, faults, quotas' counts and requests, and returns to the real time; keys stay. */
  async reset(): Promise<void> {
    this.#identities.clear()
    this.entra.reset()
    this.faults.clear()
    this.quotas.clear()
    this.requests.clear()
    this.clock.reset()
    await this.resourceManager.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#stopped ??= this.#stop())
  }

  async #stop(): Promise<void> {
    this.#isReady = false
    await Promise.all(this.#resources.map(({ listener }) => listener[Symbol.asyncDispose]()))
    this.#store[Symbol.dispose]()
  }

  /** What the resource manager makes and deletes. */
  get #live(): LiveResources {
    return {
      open: (options) => this.#open(options),
      find: (name) => this.#find(name),
      close: async (name) => {
        const open = this.#find(name)!
        this.#resources.splice(this.#resources.indexOf(open), 1)
        open.resource.erase()
        await open.listener[Symbol.asyncDispose]()
      },
    }
  }

  #find(name: string): OpenResource | undefined {
    return this.#resources.find(({ resource }) => resource.name === name)
  }

  async #open(options: ResourceOptions): Promise<OpenResource> {
    if (this.#find(options.name)) {
      throw new Error(`the resource ${options.name} is there already: every resource needs a name of its own`)
    }
    const { certificate, privateKey } = this.#material
    const resource = new Resource(this.#store, options)
    const listener = await Listener.open({
      host: this.#host,
      port: options.port ?? 0,
      certificate,
      privateKey,
      answer: (exchange) => this.#answer(exchange, resource),
    })
    const endpoint = `https://localhost:${listener.port}/`
    const emulated: EmulatedResource = {
      name: resource.name,
      endpoint,
      immutableResourceId: resource.immutableId,
      get accessKey() {
        return resource.key('primary')
      },
      get connectionString() {
        return formatConnectionString(endpoint, resource.key('primary'))
      },
      get secondaryConnectionString() {
        return formatConnectionString(endpoint, resource.key('secondary'))
      },
      regenerateKey: (slot) => resource.regenerateKey(slot),
    }
    const open = { endpoint, resource, listener, emulated }
    this.#resources.push(open)
    return open
  }

  async #answer(exchange: Exchange, resource: Resource): Promise<Answer | undefined> {
    const start = performance.now()
    let plan: Plan | undefined
    try {
      if (AdministrationPlane.owns(exchange)) {
        return exchange.isBodyTooLarge ? tooLarge : await this.#administrationPlane.answer(exchange)
      }
      plan = this.#planFor(exchange, resource)
      const { operation } = plan
      const answer = complete(await this.#perform(exchange, plan), plan)
      this.#record({ exchange, resource, operation, answer, durationMs: performance.now() - start })
      return answer
    } catch (error) {
      if (this.#stopped) return undefined
      const cause = error instanceof Error ? error.stack : String(error)
      this.#log(`the emulator failed at ${exchange.method} ${exchange.path}: ${cause}`)
      return complete(failed, plan)
    }
  }

  async #perform(exchange: Exchange, { operation, isNamedOnly, perform }: Plan): Promise<Answer | undefined> {
    if (!isTrustedHost(headerOf(exchange.headers, 'host'), this.#host)) return misdirected
    if (exchange.isBodyTooLarge) return tooLarge
    const fault = this.faults.strike(operation, { isNamedOnly })
    if (fault?.latencyMs !== undefined) {
      await sleep(fault.latencyMs, undefined, { ref: false, signal: fault.removed }).catch(() => {})
    }
    const isReplaced = fault !== undefined && (fault.reset === true || fault.status !== undefined)
    const isPerformed = !isReplaced || fault.phase === 'after'
    const real = isPerformed ? await perform() : undefined
    return isReplaced ? answerOf(fault) : real
  }

  #planFor(exchange: Exchange, resource: Resource): Plan {
    if (this.entra.owns(exchange)) {
      return {
        operation: this.entra.operationOf(exchange),
        isNamedOnly: true,
        headers: entraCorsHeaders(exchange),
        perform: () => this.entra.answer(exchange),
      }
    }
    if (ResourceManagerPlane.owns(exchange)) {
      return {
        operation: this.resourceManager.operationOf(exchange),
        isNamedOnly: true,
        headers: armHeaders(exchange),
        isFromResourceManager: true,
        perform: () => this.resourceManager.answer(exchange),
      }
    }
    const match = this.#identityPlane.match(exchange)
    const operation = match.kind === 'found' ? match.route.operation : undefined
    return {
      operation,
      isNamedOnly: isPreflight(exchange),
      headers: corsHeaders(exchange),
      perform: () => this.#identityPlane.answer(exchange, resource, match),
    }
  }

  #record({ exchange, resource, operation, answer, durationMs }: Answered): void {
    const { method, path } = exchange
    const error = (answer?.body as { error?: { code?: string } } | undefined)?.error
    const communicationUserId = answer?.communicationUserId ?? /8(?::|%3a)acs(?::|%3a)[^/]+/i.exec(path)?.[0]
    this.requests.add({
      at: new Date(this.clock.now()),
      resource: resource.name,
      method,
      path,
      apiVersion: exchange.query.get('api-version') ?? undefined,
      operation,
      communicationUserId: communicationUserId && decodePath(communicationUserId),
      clientRequestId: headerOf(exchange.headers, 'x-ms-client-request-id'),
      status: answer?.status,
      errorCode: error?.code,
      explanation: answer?.explanation,
      durationMs,
    })
    if (answer === undefined) this.#log(`${method} ${path} connection cut by a fault`)
    else if (answer.status >= 400) {
      const explanation = answer.explanation ? ` ${JSON.stringify(answer.explanation)}` : ''
      this.#log(`${method} ${path} ${answer.status} ${error?.code ?? ''}${explanation}`)
    }
  }
}

interface OpenResource {
  readonly endpoint: string
  readonly resource: Resource
  readonly listener: Listener
  readonly emulated: EmulatedResource
}

interface Plan {
  readonly operation: string | undefined
  /** Whether only faults that name the operation strike it. */
  readonly isNamedOnly: boolean
  /** Headers of every response to the request, including faults, rejections and failures. */
  readonly headers: Readonly<Record<string, string>>
  readonly isFromResourceManager?: true
  readonly perform: () => Promise<Answer>
}

interface Answered {
  readonly exchange: Exchange
  readonly resource: Resource
  readonly operation: string | undefined
  readonly answer: Answer | undefined
  readonly durationMs: number
}

// differs(foreign-host): a page could otherwise use the emulator under a name of its own that leads to this machine.
const misdirected: Answer = {
  status: 421,
  body: {
    error: {
      code: 'MisdirectedRequest',
      message: 'The Host header names another host: use localhost, an IP address, or the address given as --host.',
    },
  },
}

// guess(body-limit)
const tooLarge: Answer = {
  status: 413,
  headers: { Connection: 'close' },
  body: {
    error: {
      code: 'RequestBodyTooLarge',
      message: 'The request body is too large and exceeds the maximum permissible limit.',
    },
  },
}

const failed: Answer = {
  status: 500,
  body: { error: { code: 'InternalServerError', message: 'The emulator failed. Its log says why.' } },
}

function complete(answer: Answer | undefined, plan: Plan | undefined): Answer | undefined {
  if (!answer || !plan) return answer
  const { headers, isFromResourceManager = false } = plan
  return { ...answer, headers: { ...headers, ...answer.headers }, isFromResourceManager }
}

/** Undefined cuts the connection. */
function answerOf({ reset, status, retryAfterSeconds }: Fault): Answer | undefined {
  if (reset || status === undefined) return undefined
  return {
    status,
    ...(retryAfterSeconds !== undefined && { headers: { 'Retry-After': String(retryAfterSeconds) } }),
    ...(status >= 400 && {
      body: { error: { code: 'InjectedFault', message: 'A fault that was asked for, injected by the emulator.' } },
    }),
  }
}
