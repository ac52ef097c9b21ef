import type { Answer } from '../exchange.ts'
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

interface ActionContext {
  readonly resource: KnownResource
  readonly body: Readonly<Record<string, unknown>>
}

type Action = (context: ActionContext) => Answer | Promise<Answer>

/** What is particular about a type; everything else is the same for all. */
export interface ResourceType {
  /** In Azure's spelling. */
  readonly type: string
  /** Those that are served; default: any. */
  readonly apiVersions?: readonly string[]
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
  /** Names are Azure's, not the group's. */
  readonly isNameGlobal?: boolean
  /** A part of its parent, which is there without a PUT, such as `tableServices/default`. */
  readonly isImplicit?: boolean
  /** Throws an `ArmError`. Returns what is kept; `before` is what was. */
  readonly put?: (id: ResourceId, asked: Envelope, before: Envelope | undefined) => Envelope | Promise<Envelope>
  /** What is shown of it; default: what is kept. */
  readonly show?: (resource: KnownResource) => Envelope
  /** What it is when nobody has put it, for a part that its parent has from the start. */
  readonly view?: (id: ResourceId, parent: KnownResource) => Envelope | undefined
  /** After it is gone. */
  readonly deleted?: (resource: KnownResource) => void | Promise<void>
  /** By POST, in lower case: `listkeys`. */
  readonly actions?: Readonly<Record<string, Action>>
}
