import type { RawResponse } from '../raw-request.ts'
import type { ArmError } from './arm-error.ts'
import type { ResourceId } from './resource-id.ts'

/** Members of a resource in a request, a response or the store. */
export interface Envelope {
  readonly location?: string | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  readonly properties?: Readonly<Record<string, unknown>>
  readonly [member: string]: unknown
}

export interface StoredResource {
  readonly id: ResourceId
  readonly envelope: Envelope
  /** End of its creation, in milliseconds since 1970; 0 if it was created at once. */
  readonly readyAt: number
}

/** A stored resource in a list, without its properties, which may contain keys. */
export interface ManagedResource {
  readonly id: string
  readonly type: string
  readonly name: string
  readonly location: string | undefined
  /** Endpoint of a communication service. */
  readonly endpoint: string | undefined
}

export interface ActionContext {
  readonly resource: StoredResource
  readonly body: Readonly<Record<string, unknown>>
  /** Replaces the stored envelope of the resource. */
  readonly save: (envelope: Envelope) => void
}

type Action = (context: ActionContext) => RawResponse | Promise<RawResponse>

interface Rejection {
  readonly reason: string
  readonly message: string
}

/** Azure's responses about a name that must be unique in Azure. */
export interface GlobalName {
  /** Type that a name check accepts in place of the resource type. */
  readonly alias?: string
  /** Members of the response for a free name, next to `nameAvailable`. */
  readonly free?: object
  readonly invalid: (name: string) => Rejection
  readonly taken: (name: string) => Rejection
  /** Error for a PUT of a taken name. */
  readonly conflict: (name: string) => ArmError
  /** Whether the emulator itself uses a name. */
  readonly isReserved?: (name: string) => boolean
}

/** Resource type with its differences from the others. */
export interface ResourceType {
  /** Name in Azure's spelling. */
  readonly type: string
  /** Served api-versions; default: any. */
  readonly apiVersions?: readonly string[]
  /** Api-version to list for a type that serves any. */
  readonly listedApiVersion?: string
  /** Name in responses; default: `type`. */
  readonly displayType?: string
  /** Whether PUT and DELETE start a long-running operation. */
  readonly isLongRunning?: boolean
  /** Status of a PUT that creates a resource; default 201. */
  readonly createdStatus?: 200
  /** Status of a DELETE of an existing resource; default 200. */
  readonly deletedStatus?: 204
  /** Pattern of valid names; default: any. */
  readonly pattern?: RegExp
  /** Responses for names that are unique in Azure; default: names are unique in their group. */
  readonly globalName?: GlobalName
  /** Whether `systemData` records the author and time of changes. */
  readonly hasSystemData?: boolean
  /** Properties missing from the response to its creation. */
  readonly deferredProperties?: readonly string[]
  /** Whether it exists whenever its parent does, without a PUT, such as `tableServices/default`. */
  readonly isImplicit?: boolean
  /** Adds members that a PUT of an existing resource keeps if the request omits them. A PATCH contains them already. */
  readonly inherit?: (requested: Envelope, before: Envelope) => Envelope
  /** Checks a new envelope and returns the one to store. Throws an `ArmError`. */
  readonly put?: (id: ResourceId, requested: Envelope, before: Envelope | undefined) => Envelope | Promise<Envelope>
  /** Returns the envelope to show; default: the stored one. */
  readonly show?: (resource: StoredResource) => Envelope
  /** Returns the envelope of a resource that is part of its parent, and not stored itself. */
  readonly view?: (id: ResourceId, parent: StoredResource) => Envelope | undefined
  /** Writes such a part: returns the parent's new envelope, or undefined for a resource that is stored itself. */
  readonly writeToParent?: (id: ResourceId, parent: StoredResource, requested: Envelope) => Envelope | undefined
  /** Returns the error for a missing resource; default `ResourceNotFound`. */
  readonly missingError?: (id: ResourceId) => ArmError
  /** Throws an `ArmError` if the resource must not be deleted on its own. */
  readonly checkDeletion?: (resource: StoredResource) => void
  /** Returns the id of another resource that a DELETE of this one also deletes; `others` are the remaining resources of its type. */
  readonly alsoDeletes?: (
    deleted: StoredResource,
    others: readonly StoredResource[],
    query: URLSearchParams,
  ) => string | undefined
  /** Runs after the resource was deleted. */
  readonly onDeleted?: (resource: StoredResource) => void | Promise<void>
  /** POST actions by name in lower case, such as `listkeys`. */
  readonly actions?: Readonly<Record<string, Action>>
}
