import type { RawResponse } from '../raw-request.ts'
import type { ArmError } from './arm-error.ts'
import type { GlobalName } from './global-names.ts'
import type { ResourceId } from './resource-id.ts'

/** A resource's own members, as they are put and shown. */
export interface Envelope {
  readonly location?: string | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  readonly properties?: Readonly<Record<string, unknown>>
  readonly [member: string]: unknown
}

export interface KnownResource {
  readonly id: ResourceId
  readonly envelope: Envelope
  /** Until when it is being made, in milliseconds since 1970; 0 for what was there at once. */
  readonly readyAt: number
}

export interface ActionContext {
  readonly resource: KnownResource
  readonly body: Readonly<Record<string, unknown>>
  /** Replaces what is kept of the resource. */
  readonly save: (envelope: Envelope) => void
}

type Action = (context: ActionContext) => RawResponse | Promise<RawResponse>

/** What is particular about a type; everything else is the same for all. */
export interface ResourceType {
  /** In Azure's spelling. */
  readonly type: string
  /** Those that are served; default: any. */
  readonly apiVersions?: readonly string[]
  /** Version to list for a type that serves any. */
  readonly listedApiVersion?: string
  /** In place of `type` in answers. */
  readonly shownType?: string
  /** Whether its PUT and DELETE are operations that take a moment. */
  readonly isLongRunning?: boolean
  /** What a PUT of a new one answers; default 201. */
  readonly createdStatus?: 200
  /** What a DELETE of one that was there answers; default 200. */
  readonly deletedStatus?: 204
  /** Of the name; default: anything. */
  readonly pattern?: RegExp
  /** Set if names are unique in Azure, not only in their group. */
  readonly globalName?: GlobalName
  /** Whether `systemData` records who wrote it, and when. */
  readonly hasSystemData?: boolean
  /** Properties missing from the response to its creation. */
  readonly laterProperties?: readonly string[]
  /** A part of its parent, which is there without a PUT, such as `tableServices/default`. */
  readonly isImplicit?: boolean
  /** Adds what a PUT of an existing one keeps if the request omits it. A PATCH contains that already. */
  readonly inherit?: (asked: Envelope, before: Envelope) => Envelope
  /** Throws an `ArmError`. Returns what is kept; `before` is what was. */
  readonly put?: (id: ResourceId, asked: Envelope, before: Envelope | undefined) => Envelope | Promise<Envelope>
  /** What is shown of it; default: what is kept. */
  readonly show?: (resource: KnownResource) => Envelope
  /** What it is when nobody has put it, for a part that its parent has from the start. */
  readonly view?: (id: ResourceId, parent: KnownResource) => Envelope | undefined
  /** Writes such a part: returns what is kept of its parent from now on, or undefined for a resource of its own. */
  readonly writeToParent?: (id: ResourceId, parent: KnownResource, asked: Envelope) => Envelope | undefined
  /** Error for a missing one; default `ResourceNotFound`. */
  readonly missing?: (id: ResourceId) => ArmError
  /** After it is gone. */
  readonly deleted?: (resource: KnownResource) => void | Promise<void>
  /** By POST, in lower case: `listkeys`. */
  readonly actions?: Readonly<Record<string, Action>>
}
