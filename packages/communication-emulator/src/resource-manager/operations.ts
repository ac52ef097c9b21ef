import { hash, randomUUID } from 'node:crypto'
import type { RawResponse } from '../raw-request.ts'
import { ArmError } from './arm-error.ts'
import { splitType, type ResourceId } from './resource-id.ts'

interface Operation {
  readonly resource: ResourceId
  readonly kind: 'write' | 'delete'
  /** Milliseconds since 1970. */
  readonly readyAt: number
}

interface StartedOperation extends Operation {
  readonly path: string
  readonly startTime: string
  wasPolled: boolean
}

/** Duration of an operation, although its first poll always reports it as running. */
const durationMs = 50

export type Operations = ReturnType<typeof createOperations>

/** Manages long-running operations, which clients poll through links. */
export function createOperations(origin: () => string) {
  /** Operations by their path in lower case. */
  const operations = new Map<string, StartedOperation>()

  /** Starts an operation and returns the headers that link to it. */
  function start(operation: Operation, apiVersion: string): Record<string, string> {
    const { subscription, type } = operation.resource
    // The asterisk is part of Azure's names.
    const name = `${randomUUID()}*${hash('sha256', subscription).toUpperCase()}`
    const [namespace] = splitType(type)
    const path = `/subscriptions/${subscription}/providers/${namespace}/locations/WESTUS2/operationStatuses/${name}`
    const started = { ...operation, path, startTime: new Date().toISOString(), wasPolled: false }
    operations.set(path.toLowerCase(), started)
    return link(started, apiVersion)
  }

  function respond({ id, key }: ResourceId, apiVersion: string): RawResponse {
    const operation = operations.get(key)
    if (!operation) throw new ArmError(404, 'OperationNotFound', `The operation ${id} was not found.`)
    const { resource, kind, path, readyAt, startTime } = operation
    const isDone = operation.wasPolled && readyAt <= Date.now()
    operation.wasPolled = true
    const common = { id: path, name: path.slice(path.lastIndexOf('/') + 1), resourceId: resource.id }
    if (isDone) return { status: 200, body: { ...common, status: 'Succeeded', startTime, properties: null } }
    const [httpStatus, status] = kind === 'write' ? [200, 'Accepted'] : [202, 'Deleting']
    return { status: httpStatus, headers: link(operation, apiVersion), body: { ...common, status, startTime } }
  }

  function link({ kind, path }: StartedOperation, apiVersion: string): Record<string, string> {
    const link = `${origin()}${path}?api-version=${apiVersion}`
    const location = kind === 'delete' && { Location: link }
    // differs(arm-retry-after): without Retry-After, or with 0, some clients wait for half a minute. Clients that know
    // the second header wait no longer than an operation takes.
    return { 'Azure-AsyncOperation': link, ...location, 'Retry-After': '1', 'Retry-After-Ms': '50' }
  }

  return { start, respond }
}

/** Returns the time at which an operation that starts now ends. */
export function getReadyAt(): number {
  return Date.now() + durationMs
}
