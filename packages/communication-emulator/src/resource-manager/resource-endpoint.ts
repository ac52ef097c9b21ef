import type { JWTPayload } from 'jose'
import type { RawResponse } from '../raw-request.ts'
import { invalid, methodNotAllowed, notFound } from './arm-error.ts'
import { readBody, respondToGet, type ArmRequest } from './arm-request.ts'
import { checkLocation } from './location.ts'
import { checkLocks } from './locks.ts'
import { mergePatch } from './merge-patch.ts'
import { getReadyAt, type Operations } from './operations.ts'
import { groupType, isSame, type ResourceId } from './resource-id.ts'
import type { ResourceTree } from './resource-tree.ts'
import type { Envelope, ResourceType } from './resource-types.ts'

/** Creates the endpoint that reads, writes and deletes resources, performs their actions and lists their children. */
export function createResourceEndpoint(tree: ResourceTree, operations: Operations) {
  async function respond(request: ArmRequest, id: ResourceId): Promise<RawResponse> {
    const { method, apiVersion } = request
    const isOperation = /\/locations\/operationstatuses$/i.test(id.type)
    if (isOperation && method === 'GET') return operations.respond(id, apiVersion)
    const type = tree.getType(id.type, apiVersion)
    switch (method) {
      case 'HEAD':
        return { status: tree.get(id) ? 204 : 404 }
      case 'GET':
        return { status: 200, body: tree.show(tree.find(id)) }
      case 'PUT':
        checkLocks(tree, id, 'write')
        // A PUT treats null as absent.
        return put(request, id, type, mergePatch({}, readBody(request)))
      case 'PATCH':
        checkLocks(tree, id, 'write')
        return patch(request, id, type, readBody(request))
      case 'DELETE':
        if (type.view) throw methodNotAllowed(request)
        checkLocks(tree, id, 'delete')
        return remove(request, id, type)
      default:
        throw methodNotAllowed(request)
    }
  }

  /** Handles a request whose path ends in a word after a resource: a collection of children, or an action. */
  async function respondToMember(request: ArmRequest, id: ResourceId, word: string): Promise<RawResponse> {
    const { method, apiVersion } = request
    const scope = { id: id.id, resource: id }
    if (id.type === groupType && isSame(word, 'resources')) {
      return respondToGet(request, () => tree.showAll(scope))
    }
    const type = tree.getType(id.type, apiVersion)
    const childType = `${id.type}/${word}`
    if (method === 'GET' || tree.findType(childType)) {
      return respondToGet(request, () => {
        const child = tree.getType(childType, apiVersion)
        if (!type.isImplicit) tree.find(id)
        return tree.showAll(scope, child.type)
      })
    }
    const action = type.actions?.[word.toLowerCase()]
    if (method !== 'POST' || !action) throw notFound(`${id.id}/${word}`)
    const resource = tree.find(id)
    checkLocks(tree, id, 'write')
    const save = (envelope: Envelope) => tree.put({ ...resource, envelope })
    return action({ resource, body: readBody(request), save })
  }

  async function put(request: ArmRequest, id: ResourceId, type: ResourceType, body: Envelope): Promise<RawResponse> {
    tree.checkParent(id)
    const part = writeToParent(id, type, body)
    if (part) return part
    if (type.pattern && !type.pattern.test(id.name)) {
      throw invalid(
        'InvalidResourceName',
        `The name ${id.name} is not valid for ${type.type}: it must match ${type.pattern}.`,
      )
    }
    const before = tree.get(id)
    if (!before && type.globalName && tree.isTaken(type, id.name)) throw type.globalName.conflict(id.name)
    const known = before?.id ?? id
    const requested = (before && type.inherit?.(body, before.envelope)) ?? body
    const envelope = await check(request, known, type, requested, before?.envelope)
    const readyAt = type.isLongRunning ? getReadyAt() : 0
    const resource = { id: known, envelope, readyAt }
    tree.put(resource)
    const status = before ? 200 : (type.createdStatus ?? 201)
    if (!type.isLongRunning) return { status, body: tree.show(resource) }
    return {
      status,
      headers: operations.start({ resource: known, kind: 'write', readyAt }, request.apiVersion),
      // Reported as in progress, although the work is done.
      body: tree.show({ ...resource, readyAt: Infinity }, before ? [] : type.deferredProperties),
    }
  }

  async function patch(request: ArmRequest, id: ResourceId, type: ResourceType, patch: Envelope): Promise<RawResponse> {
    const before = tree.find(id)
    const merged: Envelope = mergePatch(before.envelope, patch)
    const part = writeToParent(id, type, merged)
    if (part) return part
    const envelope = await check(request, before.id, type, merged, before.envelope)
    const resource = { id: before.id, envelope, readyAt: 0 }
    tree.put(resource)
    return { status: 200, body: tree.show(resource) }
  }

  /** Writes a part of a parent, such as a site's settings. Returns undefined for a resource that is stored itself. */
  function writeToParent(id: ResourceId, type: ResourceType, requested: Envelope): RawResponse | undefined {
    const parent = type.writeToParent && id.scope.resource && tree.find(id.scope.resource)
    const envelope = parent && type.writeToParent?.(id, parent, requested)
    if (!envelope) return undefined
    const written = { ...parent, envelope }
    tree.put(written)
    return { status: 200, body: { id: id.id, name: id.name, type: type.type, ...type.view?.(id, written) } }
  }

  async function remove({ apiVersion, query }: ArmRequest, id: ResourceId, type: ResourceType): Promise<RawResponse> {
    const resource = tree.get(id)
    if (!resource) {
      tree.checkParent(id)
      if (id.type === groupType) throw tree.toMissingError(id)
      return { status: 204 }
    }
    type.checkDeletion?.(resource)
    await tree.remove(resource)
    if (type.alsoDeletes) {
      const remaining = tree.list()
      const others = remaining.filter((other) => isSame(other.id.type, type.type))
      const also = type.alsoDeletes(resource, others, query)?.toLowerCase()
      const further = remaining.find(({ id: { key } }) => key === also)
      if (further) await tree.remove(further)
    }
    if (!type.isLongRunning) return { status: type.deletedStatus ?? 200 }
    const operation = { resource: id, kind: 'delete', readyAt: getReadyAt() } as const
    return { status: 202, headers: operations.start(operation, apiVersion), body: null }
  }

  return { respond, respondToMember }
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

/** Returns the envelope with `systemData`: authors and times of the creation and the last change. */
function stampSystemData(envelope: Envelope, before: Envelope | undefined, caller: JWTPayload): Envelope {
  const isApplication = caller['idtyp'] === 'app'
  const name = caller[isApplication ? 'appid' : 'preferred_username']
  const type = isApplication ? 'Application' : 'User'
  const at = new Date().toISOString()
  const created = { createdBy: name, createdByType: type, createdAt: at }
  const changed = { lastModifiedBy: name, lastModifiedByType: type, lastModifiedAt: at }
  return { ...envelope, systemData: { ...created, ...(before?.['systemData'] as object | undefined), ...changed } }
}
