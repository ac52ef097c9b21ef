import type { Store } from '../store.ts'
import { ArmError, invalid } from './arm-error.ts'
import { groupType, isSame, parseTarget, splitType, type ResourceId, type Scope } from './resource-id.ts'
import type { Envelope, ResourceType, StoredResource } from './resource-types.ts'

interface Row {
  readonly id: string
  readonly envelope: string
  readonly ready_at: number
}

/** Tree of the stored resources, which shows each in the format of its type. */
export class ResourceTree {
  readonly types: readonly ResourceType[]
  readonly #store: Store

  constructor(store: Store, types: readonly ResourceType[]) {
    this.#store = store
    this.types = types
  }

  /** Lists everything below a scope, in the order of creation; by default, everything. */
  list(scope = ''): StoredResource[] {
    const prefix = `${scope.toLowerCase()}/`
    return this.#store
      .all<Row>('SELECT * FROM arm_resource WHERE substr(key, 1, ?) = ? ORDER BY rowid', prefix.length, prefix)
      .map(toResource)
  }

  get({ key }: ResourceId): StoredResource | undefined {
    const row = this.#store.get<Row>('SELECT * FROM arm_resource WHERE key = ?', key)
    return row && toResource(row)
  }

  /** Returns a stored resource, or a view of its parent. Throws an `ArmError` if it does not exist. */
  find(id: ResourceId): StoredResource {
    const resource = this.get(id) ?? this.#view(id)
    if (!resource) throw this.toMissingError(id)
    return resource
  }

  #view(id: ResourceId): StoredResource | undefined {
    const view = this.findType(id.type)?.view
    const envelope = view && id.scope.resource && view(id, this.find(id.scope.resource))
    return envelope && { id, envelope, readyAt: 0 }
  }

  put({ id: { id, key }, envelope, readyAt }: StoredResource): void {
    const sql = `INSERT INTO arm_resource (key, id, envelope, ready_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET envelope = excluded.envelope, ready_at = excluded.ready_at`
    this.#store.run(sql, key, id, JSON.stringify(envelope), readyAt)
  }

  /** Removes a resource and everything below it. */
  async remove(resource: StoredResource): Promise<void> {
    for (const inner of [resource, ...this.list(resource.id.id)].toReversed()) {
      this.#store.run('DELETE FROM arm_resource WHERE key = ?', inner.id.key)
      await this.findType(inner.id.type)?.onDeleted?.(inner)
    }
  }

  show(resource: StoredResource, hidden: readonly string[] = []): object {
    const { id, readyAt } = resource
    const type = this.findType(id.type)!
    const { properties: all = {}, ...envelope } = type.show?.(resource) ?? resource.envelope
    const properties = Object.fromEntries(Object.entries(all).filter(([name]) => !hidden.includes(name)))
    const provisioningState = readyAt <= Date.now() ? 'Succeeded' : 'Accepted'
    return {
      id: id.id,
      name: id.name,
      type: type.displayType ?? type.type,
      ...envelope,
      // The properties of a view may be settings of the user, which must stay unchanged.
      properties: type.view ? properties : { ...properties, provisioningState },
    }
  }

  /** Shows the resources of a type below a scope; by default, of all types except groups. Throws an `ArmError` for an unknown group. */
  showAll({ id: scope, resource }: Scope, type?: string): object {
    if (resource?.type === groupType) this.find(resource)
    const isListed = ({ id }: StoredResource) => (type ? isSame(id.type, type) : id.type !== groupType)
    const resources = this.list(scope).filter(isListed)
    return { value: resources.map((listed) => this.show(listed)) }
  }

  findType(name: string): ResourceType | undefined {
    return this.types.find(({ type }) => isSame(type, name))
  }

  /** Whether a name that must be unique in Azure is in use. */
  isTaken({ type, globalName }: ResourceType, name: string): boolean {
    const isUsed = this.list().some(({ id }) => isSame(id.type, type) && isSame(id.name, name))
    return isUsed || globalName?.isReserved?.(name) === true
  }

  /** Throws an `ArmError` for an unknown type or api-version. */
  getType(name: string, apiVersion: string): ResourceType {
    const type = this.findType(name)
    if (!type) throw this.toUnknownTypeError(name, apiVersion)
    const { apiVersions } = type
    if (!apiVersions || apiVersions.includes(apiVersion)) return type
    throw invalid(
      'NoRegisteredProviderFound',
      `No registered resource provider found for API version '${apiVersion}' for type '${type.type}'. The supported api-versions are '${apiVersions.join(', ')}'.`,
    )
  }

  toUnknownTypeError(name: string, apiVersion: string): ArmError {
    const supported = this.types.map(({ type }) => type).join(', ')
    return new ArmError(
      404,
      'InvalidResourceType',
      `The resource type ${name} could not be found for api version ${apiVersion}. The emulator supports: ${supported}.`,
    )
  }

  toMissingError(id: ResourceId): ArmError {
    const group = findGroup(id)
    if (group && !this.get(group)) {
      return new ArmError(404, 'ResourceGroupNotFound', `Resource group '${group.name}' could not be found.`)
    }
    const parent = this.#findMissingParent(id)
    if (parent && isChild(id, parent)) return toMissingParentError(id, parent, 'read')
    const error = this.findType(id.type)?.missingError?.(id)
    if (error) return error
    const name = id.id.slice(id.id.toLowerCase().lastIndexOf('/providers/') + '/providers/'.length)
    return new ArmError(
      404,
      'ResourceNotFound',
      `The Resource '${name}' under resource group '${group?.name ?? '<null>'}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
    )
  }

  /** Throws an `ArmError` if the resource that contains `id` does not exist. */
  checkParent(id: ResourceId): void {
    const parent = this.#findMissingParent(id)
    if (!parent) return
    const error = this.toMissingError(parent)
    const isInGroup = error.code !== 'ResourceGroupNotFound'
    throw isInGroup && isChild(id, parent) ? toMissingParentError(id, parent, 'write') : error
  }

  #findMissingParent({ scope: { resource: parent } }: ResourceId): ResourceId | undefined {
    if (!parent) return undefined
    if (this.findType(parent.type)?.isImplicit) return this.#findMissingParent(parent)
    return this.get(parent) ? undefined : parent
  }
}

function toResource({ id, envelope, ready_at: readyAt }: Row): StoredResource {
  const target = parseTarget(id)
  if (target?.kind !== 'resource') throw new Error(`invalid resource id in the store: ${id}: delete the data folder`)
  return { id: target.id, envelope: JSON.parse(envelope) as Envelope, readyAt }
}

function findGroup(id: ResourceId): ResourceId | undefined {
  return id.type === groupType ? id : id.scope.resource && findGroup(id.scope.resource)
}

/** Whether a resource is a child of another, such as a table of its account, unlike a role assignment on the account. */
function isChild(id: ResourceId, parent: ResourceId): boolean {
  return id.type.toLowerCase().startsWith(`${parent.type.toLowerCase()}/`)
}

function toMissingParentError({ type }: ResourceId, parent: ResourceId, verb: 'read' | 'write'): ArmError {
  return new ArmError(
    404,
    'ParentResourceNotFound',
    `Failed to perform '${verb}' on resource(s) of type '${splitType(type)[1]}', because the parent resource '${parent.id}' could not be found.`,
  )
}
