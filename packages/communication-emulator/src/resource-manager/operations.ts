import { hash, randomUUID } from 'node:crypto'
import type { RawResponse } from '../raw-request.ts'
import { ArmError } from './arm-error.ts'
import type { ResourceId } from './resource-id.ts'

export interface Operation {
  readonly resource: ResourceId
  readonly kind: 'write' | 'delete'
  /** Milliseconds since 1970. */
  readonly readyAt: number
}

interface StartedOperation extends Operation {
  readonly path: string
  readonly startTime: string
  wasSeen: boolean
}

/** Short enough for nobody to wait; who asks for the first time finds it under way all the same. */
const durationMs = 50

/** Long-running operations: what their links answer. */
export class Operations {
  /** Operations by their path in lower case. */
  readonly #operations = new Map<string, StartedOperation>()

  readyAt(): number {
    return Date.now() + durationMs
  }

  /** Returns the operation's path. */
  begin(operation: Operation): string {
    const { subscription, type } = operation.resource
    // Azure's names have the asterisk too.
    const name = `${randomUUID()}*${hash('sha256', subscription).toUpperCase()}`
    const provider = type.slice(0, type.indexOf('/'))
    const path = `/subscriptions/${subscription}/providers/${provider}/locations/WESTUS2/operationStatuses/${name}`
    const started = { ...operation, path, startTime: new Date().toISOString(), wasSeen: false }
    this.#operations.set(path.toLowerCase(), started)
    return path
  }

  /** `headersFor` returns the headers of a response that is not the last one. */
  respond({ id, key }: ResourceId, headersFor: (operation: StartedOperation) => Record<string, string>): RawResponse {
    const operation = this.#operations.get(key)
    if (!operation) throw new ArmError(404, 'OperationNotFound', `The operation ${id} was not found.`)
    const { resource, kind, path, readyAt, startTime } = operation
    const isDone = operation.wasSeen && readyAt <= Date.now()
    operation.wasSeen = true
    const common = { id: path, name: path.slice(path.lastIndexOf('/') + 1), resourceId: resource.id }
    if (isDone) return { status: 200, body: { ...common, status: 'Succeeded', startTime, properties: null } }
    const [httpStatus, status] = kind === 'write' ? [200, 'Accepted'] : [202, 'Deleting']
    return { status: httpStatus, headers: headersFor(operation), body: { ...common, status, startTime } }
  }
}
