import { formatConnectionString, type KeySlot } from './access-key.ts'
import { Listener } from './listener.ts'
import type { RawRequest, RawResponse } from './raw-request.ts'
import { Resource, type ResourceOptions } from './resource.ts'
import type { Store } from './store.ts'

/** A resource of a running emulator, as its clients see it. */
export interface EmulatedResource {
  readonly name: string
  /** `https://localhost:<port>/`; the trailing slash is also in Azure's own endpoints. */
  readonly endpoint: string
  /** Connection string with the current primary key. */
  readonly connectionString: string
  /** The current primary key, base64. */
  readonly accessKey: string
  /** Connection string with the current secondary key. */
  readonly secondaryConnectionString: string
  /** The GUID in the ids of its identities. */
  readonly immutableResourceId: string
  /**
   * Replaces an access key. The old key is rejected from now on, and the tokens issued with it are revoked.
   *
   * @param slot Which of the two keys.
   * @returns The new key, base64.
   */
  regenerateKey(slot: KeySlot): string
}

/** A resource with its port. */
export interface OpenResource {
  readonly endpoint: string
  readonly resource: Resource
  readonly listener: Listener
}

export interface EmulatedResourcesOptions {
  readonly store: Store
  readonly host: string | undefined
  readonly certificate: string
  readonly privateKey: string
  /** Returns the response, or undefined to close the connection. Must not throw. */
  readonly handle: (request: RawRequest, resource: Resource) => Promise<RawResponse | undefined>
}

/** The resources of an emulator, each on its own port, in the order in which they were opened. */
export class EmulatedResources implements AsyncDisposable {
  readonly #options: EmulatedResourcesOptions
  readonly #open: OpenResource[] = []

  constructor(options: EmulatedResourcesOptions) {
    this.#options = options
  }

  list(): EmulatedResource[] {
    return this.#open.map(toEmulatedResource)
  }

  find(name: string): OpenResource | undefined {
    return this.#open.find(({ resource }) => resource.name === name)
  }

  async open(options: ResourceOptions): Promise<OpenResource> {
    if (this.find(options.name)) {
      throw new Error(`the resource ${options.name} already exists: give every resource its own name`)
    }
    const { store, host, certificate, privateKey, handle } = this.#options
    const resource = new Resource(store, options)
    const listener = await Listener.open({
      host,
      port: options.port ?? 0,
      certificate,
      privateKey,
      handle: (request) => handle(request, resource),
    })
    const open = { endpoint: `https://localhost:${listener.port}/`, resource, listener }
    this.#open.push(open)
    return open
  }

  /** Deletes a resource and closes its port. */
  async close(name: string): Promise<void> {
    const open = this.find(name)!
    this.#open.splice(this.#open.indexOf(open), 1)
    open.resource.delete()
    await open.listener[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.map(({ listener }) => listener[Symbol.asyncDispose]()))
  }
}

function toEmulatedResource({ endpoint, resource }: OpenResource): EmulatedResource {
  return {
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
}
