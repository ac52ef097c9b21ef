import { AdministrationPlane, type Administration } from './administration-plane.ts'
import { Clock } from './clock.ts'
import { Dispatcher } from './dispatcher.ts'
import { EntraPlane, entraOperations } from './entra/entra-plane.ts'
import { FaultPlan } from './faults.ts'
import { AccessTokenSigner } from './identity/access-token.ts'
import { Identities, type Introspection, type ListedIdentity, type ListedToken } from './identity/identities.ts'
import { IdentityPlane } from './identity/plane.ts'
import { identityOperations } from './identity/routes.ts'
import { nodeEnvironment } from './environment.ts'
import { Listener } from './listener.ts'
import { bypassProxies } from './loopback.ts'
import { QuotaCounter, type Quotas } from './quotas.ts'
import { RequestLog } from './request-log.ts'
import type { LiveResources } from './resource-manager/communication-service.ts'
import { ResourceManagerPlane, resourceManagerOperations } from './resource-manager/resource-manager-plane.ts'
import { defaultResourceName, formatConnectionString, type KeySlot } from './access-key.ts'
import { Resource, type ResourceOptions } from './resource.ts'
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

/** Puts the planes together, and answers for them in process. */
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
  readonly #dispatcher: Dispatcher
  #isReady = false
  #stopped: Promise<void> | undefined

  private constructor(options: EmulatorOptions, material: Awaited<ReturnType<typeof openKeyMaterial>>) {
    this.caPath = material.caPath
    this.tlsFiles = material.tlsFiles
    this.#host = options.host
    this.#material = material
    this.quotas.set(options.quotas ?? false)
    this.#store = new Store(options.dataFolder)
    this.#identities = new Identities(this.#store, this.clock, new AccessTokenSigner(material.signingKey))
    this.entra = new EntraPlane(this.#store, this.clock, () => this.endpoint.slice(0, -1))
    const identityPlane = new IdentityPlane({
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
      liveResources: this.#live,
      origin: () => this.endpoint.slice(0, -1),
    })
    this.#dispatcher = new Dispatcher({
      administration: new AdministrationPlane(this),
      identity: identityPlane,
      entra: this.entra,
      resourceManager: this.resourceManager,
      faults: this.faults,
      requests: this.requests,
      clock: this.clock,
      host: options.host,
      log: options.log ?? (() => {}),
      isStopped: () => this.#stopped !== undefined,
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
      await emulator.resourceManager.restore()
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
      handle: (request) => this.#dispatcher.handle(request, resource),
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
}

interface OpenResource {
  readonly endpoint: string
  readonly resource: Resource
  readonly listener: Listener
  readonly emulated: EmulatedResource
}
