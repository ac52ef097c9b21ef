import { ArmError, invalid } from './arm-error.ts'
import type { ArmStore } from './arm-store.ts'
import { isSame, parseTarget, type ResourceId } from './resource-id.ts'
import type { KnownResource, ResourceType } from './resource-types.ts'

/** The resources that there are, each in or on another, and what their types make of them. */
export class ResourceTree {
  readonly #store: ArmStore
  readonly #types: ReadonlyMap<string, ResourceType>

  constructor(store: ArmStore, types: readonly ResourceType[]) {
    this.#store = store
    this.#types = new Map(types.map((type) => [type.type.toLowerCase(), type]))
  }

  get types(): readonly ResourceType[] {
    return [...this.#types.values()]
  }

  /** Everything below a scope, in the order in which it was made. */
  below(scope: string): KnownResource[] {
    return this.#store.below(scope)
  }

  get(id: ResourceId): KnownResource | undefined {
    return this.#store.get(id.key)
  }

  put(resource: KnownResource): void {
    this.#store.put(resource)
  }

  /** With what is in or on it. */
  async remove(resource: KnownResource): Promise<void> {
    for (const inner of [resource, ...this.below(resource.id.id)].toReversed()) {
      this.#store.delete(inner.id.key)
      await this.typeNamed(inner.id.type)?.deleted?.(inner)
    }
  }

  show(resource: KnownResource, hidden: readonly string[] = []): object {
    const { id, readyAt } = resource
    const type = this.typeNamed(id.type)!
    const { properties: all = {}, ...envelope } = type.show?.(resource) ?? resource.envelope
    const properties = Object.fromEntries(Object.entries(all).filter(([name]) => !hidden.includes(name)))
    const provisioningState = readyAt <= Date.now() ? 'Succeeded' : 'Accepted'
    return {
      id: id.id,
      name: id.name,
      type: type.shownType ?? type.type,
      ...envelope,
      // The properties of a view may be the user's own settings.
      properties: type.view ? properties : { ...properties, provisioningState },
    }
  }

  /** Throws when it is not there. */
  find(id: ResourceId): KnownResource {
    const resource = this.#store.get(id.key) ?? this.#view(id)
    if (!resource) throw this.missing(id)
    return resource
  }

  /** Resource that another one is in or on. Throws when it does not exist. */
  parentOf(id: ResourceId): KnownResource | undefined {
    const parent = parseTarget(id.parent)
    return parent?.kind === 'resource' ? this.find(parent.id) : undefined
  }

  #view(id: ResourceId): KnownResource | undefined {
    const view = this.typeNamed(id.type)?.view
    const parent = view && this.parentOf(id)
    const envelope = parent && view(id, parent)
    return envelope && { id, envelope, readyAt: 0 }
  }

  missing(id: ResourceId): ArmError {
    const group = /^(\/subscriptions\/[^/]+\/resourceGroups\/[^/]+)/i.exec(id.id)?.[1]
    if (group !== undefined && !this.#store.get(group.toLowerCase())) {
      return new ArmError(404, 'ResourceGroupNotFound', `Resource group '${id.group}' could not be found.`)
    }
    const parent = this.#missingParent(id)
    if (parent && isNested(id, parent)) return missingParent(id, parent, 'read')
    const error = this.typeNamed(id.type)?.missing?.(id)
    if (error) return error
    const name = id.id.slice(id.id.toLowerCase().lastIndexOf('/providers/') + '/providers/'.length)
    return new ArmError(
      404,
      'ResourceNotFound',
      `The Resource '${name}' under resource group '${id.group ?? '<null>'}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
    )
  }

  /** Throws when the resource that another one is in or on does not exist. */
  checkParent(id: ResourceId): void {
    const parent = this.#missingParent(id)
    if (!parent) return
    const error = this.missing(parent)
    throw error.code !== 'ResourceGroupNotFound' && isNested(id, parent) ? missingParent(id, parent, 'write') : error
  }

  #missingParent(id: ResourceId): ResourceId | undefined {
    const target = parseTarget(id.parent)
    if (target?.kind !== 'resource') return undefined
    if (this.typeNamed(target.id.type)?.isImplicit) return this.#missingParent(target.id)
    return this.#store.get(target.id.key) ? undefined : target.id
  }

  isTaken({ type, globalName }: ResourceType, name: string): boolean {
    const isUsed = this.below('').some(({ id }) => isSame(id.type, type) && isSame(id.name, name))
    return isUsed || globalName?.isReserved?.(name) === true
  }

  unknownType(name: string, version: string): ArmError {
    const names = this.types.map(({ type }) => type).join(', ')
    return new ArmError(
      404,
      'InvalidResourceType',
      `The resource type ${name} could not be found for api version ${version}. The emulator has: ${names}.`,
    )
  }

  typeNamed(name: string): ResourceType | undefined {
    return this.#types.get(name.toLowerCase())
  }

  /** Throws when there is none, or none of this api-version. */
  typeOf(name: string, version: string): ResourceType {
    const type = this.typeNamed(name)
    if (!type) throw this.unknownType(name, version)
    checkVersion(type, version)
    return type
  }
}

function checkVersion({ type, apiVersions }: ResourceType, version: string): void {
  if (!apiVersions || apiVersions.includes(version)) return
  throw invalid(
    'NoRegisteredProviderFound',
    `No registered resource provider found for API version '${version}' for type '${type}'. The supported api-versions are '${apiVersions.join(', ')}'.`,
  )
}

/** Whether one resource is a child of the other, as a table is of its account, but a role assignment on the account is not. */
function isNested(id: ResourceId, parent: ResourceId): boolean {
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
