import { ArmError, invalid } from './arm-error.ts'
import type { ArmStore } from './arm-store.ts'
import { groupType, parseTarget, type ResourceId } from './resource-id.ts'
import type { KnownResource, ResourceType } from './resource-types.ts'

/** The resources that there are, each in or on another, and what their types make of them. */
export class ResourceTree {
  readonly #store: ArmStore
  readonly #types: ReadonlyMap<string, ResourceType>

  constructor(store: ArmStore, types: readonly ResourceType[]) {
    this.#store = store
    this.#types = new Map(types.map((type) => [type.type.toLowerCase(), type]))
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

  show(resource: KnownResource): object {
    const { id, readyAt } = resource
    const type = this.typeNamed(id.type)!
    const { properties, ...envelope } = type.show?.(resource) ?? resource.envelope
    return {
      id: id.id,
      name: id.name,
      type: type.shownType ?? type.type,
      ...envelope,
      properties: { ...properties, provisioningState: readyAt <= Date.now() ? 'Succeeded' : 'Accepted' },
    }
  }

  /** Throws when it is not there. */
  find(id: ResourceId): KnownResource {
    const resource = this.#store.get(id.key) ?? this.#view(id)
    if (!resource) throw this.missing(id)
    return resource
  }

  #view(id: ResourceId): KnownResource | undefined {
    const parent = parseTarget(id.parent)
    const view = this.typeNamed(id.type)?.view
    const envelope = view && parent?.kind === 'resource' ? view(id, this.find(parent.id)) : undefined
    return envelope && { id, envelope, readyAt: 0 }
  }

  missing(id: ResourceId): ArmError {
    const group = /^(\/subscriptions\/[^/]+\/resourceGroups\/[^/]+)/i.exec(id.id)?.[1]
    if (group !== undefined && !this.#store.get(group.toLowerCase())) {
      return new ArmError(404, 'ResourceGroupNotFound', `Resource group '${id.group}' could not be found.`)
    }
    const name = `${id.type}/${id.name}`
    return new ArmError(
      404,
      'ResourceNotFound',
      `The Resource '${name}' under resource group '${id.group}' was not found.`,
    )
  }

  /** What a resource is in, or on, has to be there. */
  checkParent(id: ResourceId): void {
    const target = parseTarget(id.parent)
    if (target?.kind !== 'resource') return
    const type = this.typeNamed(target.id.type)
    if (type?.isImplicit) return this.checkParent(target.id)
    if (this.#store.get(target.id.key)) return
    if (target.id.type === groupType) throw this.missing(target.id)
    throw new ArmError(404, 'ParentResourceNotFound', `The parent resource ${target.id.id} could not be found.`)
  }

  isTaken({ type }: ResourceType, name: string): boolean {
    return this.below('').some(({ id }) => isSame(id.type, type) && isSame(id.name, name))
  }

  unknownType(name: string, version: string): ArmError {
    const names = [...this.#types.values()].map(({ type }) => type).join(', ')
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

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
