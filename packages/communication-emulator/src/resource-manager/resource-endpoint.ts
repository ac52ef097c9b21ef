import type { RawResponse } from '../raw-request.ts'
import { invalid, methodNotAllowed, notFound, requireGet } from './arm-error.ts'
import { readBody, type ArmRequest } from './arm-request.ts'
import { checkLocation } from './location.ts'
import { mergePatch } from './merge-patch.ts'
import { isTaken } from './global-names.ts'
import type { Operations } from './operations.ts'
import { groupType, isSame, type ResourceId } from './resource-id.ts'
import type { ResourceTree } from './resource-tree.ts'
import type { Envelope, ResourceType } from './resource-types.ts'
import { stampSystemData } from './system-data.ts'

/** Reads, writes and deletes resources, performs their actions and lists their children. */
export class ResourceEndpoint {
  readonly #tree: ResourceTree
  readonly #operations: Operations

  constructor(tree: ResourceTree, operations: Operations) {
    this.#tree = tree
    this.#operations = operations
  }

  async respond(request: ArmRequest, id: ResourceId): Promise<RawResponse> {
    const { method, apiVersion } = request
    const isOperation = /\/locations\/operationstatuses$/i.test(id.type)
    if (isOperation && method === 'GET') return this.#operations.respond(id, apiVersion)
    const type = this.#tree.getType(id.type, apiVersion)
    switch (method) {
      case 'HEAD':
        return { status: this.#tree.get(id) ? 204 : 404 }
      case 'GET':
        return { status: 200, body: this.#tree.show(this.#tree.find(id)) }
      case 'PUT':
        // In a PUT, null means absent.
        return this.#put(request, id, type, mergePatch({}, readBody(request)))
      case 'PATCH':
        return this.#patch(request, id, type, readBody(request))
      case 'DELETE':
        if (type.view) throw methodNotAllowed(request)
        return this.#delete(request, id, type)
      default:
        throw methodNotAllowed(request)
    }
  }

  /** Responds for a word after a resource: a collection of children, or an action. */
  async respondToMember(request: ArmRequest, id: ResourceId, word: string): Promise<RawResponse> {
    const { method, apiVersion } = request
    if (id.type === groupType && isSame(word, 'resources')) {
      requireGet(request)
      return { status: 200, body: this.#tree.showAll({ id: id.id, resource: id }) }
    }
    const type = this.#tree.getType(id.type, apiVersion)
    const childType = `${id.type}/${word}`
    if (method === 'GET' || this.#tree.findType(childType)) {
      requireGet(request)
      const child = this.#tree.getType(childType, apiVersion)
      if (!type.isImplicit) this.#tree.find(id)
      return { status: 200, body: this.#tree.showAll({ id: id.id, resource: id }, child.type) }
    }
    const action = type.actions?.[word.toLowerCase()]
    if (method !== 'POST' || !action) throw notFound(`${id.id}/${word}`)
    const resource = this.#tree.find(id)
    const save = (envelope: Envelope) => this.#tree.put({ ...resource, envelope })
    return action({ resource, body: readBody(request), save })
  }

  async #put(request: ArmRequest, id: ResourceId, type: ResourceType, body: Envelope): Promise<RawResponse> {
    this.#tree.checkParent(id)
    const part = this.#writeToParent(id, type, body)
    if (part) return part
    if (type.pattern && !type.pattern.test(id.name)) {
      throw invalid(
        'InvalidResourceName',
        `The name ${id.name} is not valid for ${type.type}: it must match ${type.pattern}.`,
      )
    }
    const before = this.#tree.get(id)
    if (!before && type.globalName && isTaken(type, id.name, this.#tree)) throw type.globalName.conflict(id.name)
    const known = before?.id ?? id
    const requested = (before && type.inherit?.(body, before.envelope)) ?? body
    const envelope = await check(request, known, type, requested, before?.envelope)
    const readyAt = type.isLongRunning ? this.#operations.getReadyAt() : 0
    const resource = { id: known, envelope, readyAt }
    this.#tree.put(resource)
    const status = before ? 200 : (type.createdStatus ?? 201)
    if (!type.isLongRunning) return { status, body: this.#tree.show(resource) }
    return {
      status,
      headers: this.#operations.start({ resource: known, kind: 'write', readyAt }, request.apiVersion),
      // Always still in progress, however long the work took.
      body: this.#tree.show({ ...resource, readyAt: Infinity }, before ? [] : type.deferredProperties),
    }
  }

  async #patch(request: ArmRequest, id: ResourceId, type: ResourceType, patch: Envelope): Promise<RawResponse> {
    const before = this.#tree.find(id)
    const merged: Envelope = mergePatch(before.envelope, patch)
    const part = this.#writeToParent(id, type, merged)
    if (part) return part
    const envelope = await check(request, before.id, type, merged, before.envelope)
    const resource = { id: before.id, envelope, readyAt: 0 }
    this.#tree.put(resource)
    return { status: 200, body: this.#tree.show(resource) }
  }

  /** Writes a part of a parent, such as a site's settings. Returns undefined for a resource of its own. */
  #writeToParent(id: ResourceId, type: ResourceType, requested: Envelope): RawResponse | undefined {
    const parent = type.writeToParent && id.scope.resource && this.#tree.find(id.scope.resource)
    const envelope = parent && type.writeToParent?.(id, parent, requested)
    if (!envelope) return undefined
    const written = { ...parent, envelope }
    this.#tree.put(written)
    return { status: 200, body: { id: id.id, name: id.name, type: type.type, ...type.view?.(id, written) } }
  }

  async #delete({ apiVersion }: ArmRequest, id: ResourceId, type: ResourceType): Promise<RawResponse> {
    const resource = this.#tree.get(id)
    if (!resource) {
      this.#tree.checkParent(id)
      if (id.type === groupType) throw this.#tree.toMissingError(id)
      return { status: 204 }
    }
    await this.#tree.remove(resource)
    if (!type.isLongRunning) return { status: type.deletedStatus ?? 200 }
    const operation = { resource: id, kind: 'delete', readyAt: this.#operations.getReadyAt() } as const
    return { status: 202, headers: this.#operations.start(operation, apiVersion), body: null }
  }
}

/** Returns the envelope to store. Throws an `ArmError`. */
async function check(
  { caller }: ArmRequest,
  id: ResourceId,
  type: ResourceType,
  requested: Envelope,
  before: Envelope | undefined,
): Promise<Envelope> {
  checkLocation(id, requested, before)
  const checked = (await type.put?.(id, requested, before)) ?? requested
  return type.hasSystemData ? stampSystemData(checked, before, caller) : checked
}
