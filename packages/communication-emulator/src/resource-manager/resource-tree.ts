import { ArmError } from './arm-error.ts'
import type { ArmStore } from './arm-store.ts'
import { groupType, isSame, type ResourceId, type Scope } from './resource-id.ts'
import type { ResourceType, StoredResource } from './resource-types.ts'
import type { TypeRegistry } from './type-registry.ts'

/** The existing resources, each in or on another, as their types present them. */
export class ResourceTree {
  readonly types: TypeRegistry
  readonly #store: ArmStore

  constructor(store: ArmStore, types: TypeRegistry) {
    this.#store = store
    this.types = types
  }

  /** Lists everything below a scope, in the order of creation; by default, everything. */
  list(scope = ''): StoredResource[] {
    return this.#store.list(scope)
  }

  get(id: ResourceId): StoredResource | undefined {
    return this.#store.get(id)
  }

  put(resource: StoredResource): void {
    this.#store.put(resource)
  }

  /** Removes a resource and everything in or on it. */
  async remove(resource: StoredResource): Promise<void> {
    for (const inner of [resource, ...this.list(resource.id.id)].toReversed()) {
      this.#store.delete(inner.id)
      await this.types.find(inner.id.type)?.onDeleted?.(inner)
    }
  }

  show(resource: StoredResource, hidden: readonly string[] = []): object {
    const { id, readyAt } = resource
    const type = this.types.find(id.type)!
    const { properties: all = {}, ...envelope } = type.show?.(resource) ?? resource.envelope
    const properties = Object.fromEntries(Object.entries(all).filter(([name]) => !hidden.includes(name)))
    const provisioningState = readyAt <= Date.now() ? 'Succeeded' : 'Accepted'
    return {
      id: id.id,
      name: id.name,
      type: type.displayType ?? type.type,
      ...envelope,
      // The properties of a view may be the user's own settings.
      properties: type.view ? properties : { ...properties, provisioningState },
    }
  }

  /** Shows the resources of a type below a scope; without a type, all but groups. Throws an `ArmError` for an unknown group. */
  showAll({ id: scope, resource }: Scope, type?: string): object {
    if (resource?.type === groupType) this.find(resource)
    const isListed = ({ id }: StoredResource) => (type ? isSame(id.type, type) : id.type !== groupType)
    const resources = this.list(scope).filter(isListed)
    return { value: resources.map((listed) => this.show(listed)) }
  }

  /** Throws an `ArmError` if the resource does not exist. */
  find(id: ResourceId): StoredResource {
    const resource = this.get(id) ?? this.#view(id)
    if (!resource) throw this.toMissingError(id)
    return resource
  }

  #view(id: ResourceId): StoredResource | undefined {
    const view = id.parent && this.types.find(id.type)?.view
    const envelope = view?.(id, this.find(id.parent!))
    return envelope && { id, envelope, readyAt: 0 }
  }

  /** Throws an `ArmError` if the resource that contains `id` does not exist. */
  checkParent(id: ResourceId): void {
    const parent = this.#getMissingParent(id)
    if (!parent) return
    const error = this.toMissingError(parent)
    throw error.code !== 'ResourceGroupNotFound' && isChild(id, parent) ? missingParent(id, parent, 'write') : error
  }

  toMissingError(id: ResourceId): ArmError {
    const group = findGroup(id)
    if (group && !this.get(group)) {
      return new ArmError(404, 'ResourceGroupNotFound', `Resource group '${group.name}' could not be found.`)
    }
    const parent = this.#getMissingParent(id)
    if (parent && isChild(id, parent)) return missingParent(id, parent, 'read')
    const error = this.types.find(id.type)?.missingError?.(id)
    if (error) return error
    const name = id.id.slice(id.id.toLowerCase().lastIndexOf('/providers/') + '/providers/'.length)
    return new ArmError(
      404,
      'ResourceNotFound',
      `The Resource '${name}' under resource group '${group?.name ?? '<null>'}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
    )
  }

  #getMissingParent({ parent }: ResourceId): ResourceId | undefined {
    if (!parent) return undefined
    if (this.types.find(parent.type)?.isImplicit) return this.#getMissingParent(parent)
    return this.get(parent) ? undefined : parent
  }

  /** Whether a name that must be unique in all of Azure is in use. */
  isTaken({ type, globalName }: ResourceType, name: string): boolean {
    const isUsed = this.list().some(({ id }) => isSame(id.type, type) && isSame(id.name, name))
    return isUsed || globalName?.isReserved?.(name) === true
  }
}

function findGroup(id: ResourceId): ResourceId | undefined {
  return id.type === groupType ? id : id.parent && findGroup(id.parent)
}

/** Whether a resource is a child of another, as a table is of its account. A role assignment on the account is not. */
function isChild(id: ResourceId, parent: ResourceId): boolean {
  return id.type.toLowerCase().startsWith(`${parent.type.toLowerCase()}/`)
}

function missingParent({ type }: ResourceId, parent: ResourceId, verb: 'read' | 'write'): ArmError {
  const ownType = type.slice(type.indexOf('/') + 1)
  return new ArmError(
    404,
    'ParentResourceNotFound',
    `Failed to perform '${verb}' on resource(s) of type '${ownType}', because the parent resource '${parent.id}' could not be found.`,
  )
}
