import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { formatConnectionString, type KeySlot } from './access-key.ts'
import type { Hostnames } from './hostnames.ts'
import { openListener, type Listener, type ListenerOptions } from './listener.ts'
import type { RawRequest, RawResponse } from './raw-request.ts'
import { Resource, type ResourceOptions } from './resource.ts'
import type { Store } from './store.ts'

/** A resource of a running emulator, as its clients see it. */
export interface EmulatedResource {
  readonly name: string
  /** `https://localhost:<port>/`; Azure's endpoints also end in a slash. */
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
   * @param slot The key to replace.
   * @returns The new key, base64.
   */
  regenerateKey(slot: KeySlot): string
}

/** A resource with its port. */
export interface OpenResource {
  /** Has the name that the current request used. */
  readonly endpoint: string
  readonly resource: Resource
  readonly listener: Listener
}

export interface EmulatedResourcesOptions extends Omit<ListenerOptions, 'port' | 'handle' | 'upgrade'> {
  readonly store: Store
  readonly hostnames: Hostnames
  /** Returns the response, or undefined to close the connection. Must not throw. */
  readonly handle: (request: RawRequest, resource: Resource) => Promise<RawResponse | undefined>
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer, resource: Resource) => void
}

export type EmulatedResources = ReturnType<typeof createEmulatedResources>

/** Manages the resources of an emulator, each on its own port, in the order in which they were opened. */
export function createEmulatedResources({
  store,
  hostnames,
  handle,
  upgrade,
  ...listenerOptions
}: EmulatedResourcesOptions) {
  const resources: OpenResource[] = []

  function list(): EmulatedResource[] {
    return resources.map(toEmulatedResource)
  }

  function find(name: string): OpenResource | undefined {
    return resources.find(({ resource }) => resource.name === name)
  }

  async function open(options: ResourceOptions): Promise<OpenResource> {
    if (find(options.name)) {
      throw new Error(`the resource ${options.name} already exists: give every resource its own name`)
    }
    const resource = new Resource(store, options)
    const listener = await openListener({
      ...listenerOptions,
      port: options.port ?? 0,
      handle: (request) => handle(request, resource),
      upgrade: (request, socket, head) => upgrade(request, socket, head, resource),
    })
    const opened = {
      get endpoint() {
        return `${hostnames.toOrigin(listener.port)}/`
      },
      resource,
      listener,
    }
    resources.push(opened)
    return opened
  }

  /** Deletes a resource and closes its port. */
  async function close(name: string): Promise<void> {
    const closed = find(name)!
    resources.splice(resources.indexOf(closed), 1)
    closed.resource.delete()
    await closed.listener[Symbol.asyncDispose]()
  }

  /** Closes all ports. */
  async function stop(): Promise<void> {
    await Promise.all(resources.map(({ listener }) => listener[Symbol.asyncDispose]()))
  }

  return { list, find, open, close, stop }
}

function toEmulatedResource(opened: OpenResource): EmulatedResource {
  const { resource } = opened
  return {
    name: resource.name,
    get endpoint() {
      return opened.endpoint
    },
    immutableResourceId: resource.immutableId,
    get accessKey() {
      return resource.key('primary')
    },
    get connectionString() {
      return formatConnectionString(opened.endpoint, resource.key('primary'))
    },
    get secondaryConnectionString() {
      return formatConnectionString(opened.endpoint, resource.key('secondary'))
    },
    regenerateKey: (slot) => resource.regenerateKey(slot),
  }
}
