import { decodePath, type RawResponse, type RawRequest } from '../raw-request.ts'
import type { EntraTokens } from '../entra/entra-tokens.ts'
import { wellKnownClientSecret, wellKnownConfidentialClientId, wellKnownTenantId } from '../entra/tenant.ts'
import type { Store } from '../store.ts'
import { ArmError, invalid } from './arm-error.ts'
import { readApiVersion, readBody, type ArmRequest } from './arm-request.ts'
import { ArmStore } from './arm-store.ts'
import { authenticate } from './authenticate.ts'
import { describeCloud, metadataPath } from './cloud-metadata.ts'
import { checkLocation } from './location.ts'
import { mergePatch } from './merge-patch.ts'
import { Operations, type Operation } from './operations.ts'
import { checkName, describeProvider, listProviders } from './providers.ts'
import { groupType, parseTarget, type ResourceId, type Target } from './resource-id.ts'
import { ResourceTree } from './resource-tree.ts'
import type { Envelope, KnownResource, ResourceType } from './resource-types.ts'
import { describeSubscription, describeTenant, servedSubscriptionId } from './subscriptions.ts'
import { stampSystemData } from './system-data.ts'

/** Where the operations of the resource manager take place, as the request log and faults name them. */
export const resourceManagerOperations = [
  'cloudMetadata',
  'armGet',
  'armList',
  'armPut',
  'armPatch',
  'armDelete',
  'armAction',
] as const

export type ResourceManagerOperation = (typeof resourceManagerOperations)[number]

export interface ResourceManagerOptions {
  readonly store: Store
  readonly entraTokens: EntraTokens
  readonly types: readonly ResourceType[]
  /** `https://localhost:4380`; that of the default resource. */
  readonly origin: () => string
}

/** Stands in for Azure Resource Manager: groups, and resources of the types that it was given. */
export class ResourceManagerPlane {
  /** Where tables of all storage accounts are served, such as by Azurite; undefined, as at first: nowhere. */
  tableEndpoint: string | undefined
  /** Account keys that open these tables, shown as the keys of each storage account. */
  tableKeys: readonly [key1: string, key2: string] | undefined
  readonly #tree: ResourceTree
  readonly #entraTokens: EntraTokens
  readonly #operations = new Operations()
  readonly #origin: () => string

  constructor({ store, entraTokens, types, origin }: ResourceManagerOptions) {
    this.#tree = new ResourceTree(new ArmStore(store), types)
    this.#entraTokens = entraTokens
    this.#origin = origin
  }

  static owns({ path }: RawRequest): boolean {
    return /^\/+(?:(?:subscriptions|providers)(?:\/|$)|tenants\/?$|metadata\/endpoints$)/i.test(path)
  }

  operationOf({ method, path }: RawRequest): ResourceManagerOperation | undefined {
    if (metadataPath.test(path)) return 'cloudMetadata'
    if (method === 'GET') return parseTarget(decodePath(path))?.kind === 'resource' ? 'armGet' : 'armList'
    return { HEAD: 'armGet', PUT: 'armPut', PATCH: 'armPatch', DELETE: 'armDelete', POST: 'armAction' }[method] as
      | ResourceManagerOperation
      | undefined
  }

  /** Who may do everything here, and where: what azure-native has as its configuration. Any subscription is one. */
  get servicePrincipal() {
    return {
      metadataHost: this.#origin(),
      tenantId: wellKnownTenantId,
      clientId: wellKnownConfidentialClientId,
      clientSecret: wellKnownClientSecret,
      subscriptionId: servedSubscriptionId,
    }
  }

  /** All resources that there are, for those who want to see that nothing is left. */
  resources(): KnownResource[] {
    return this.#tree.below('')
  }

  /** Deletes everything. */
  async clear(): Promise<void> {
    for (const { id } of this.resources()) {
      const resource = this.#tree.get(id)
      if (resource) await this.#tree.remove(resource)
    }
  }

  async handle(request: RawRequest): Promise<RawResponse> {
    return this.#dispatch(request).catch((error: unknown) => {
      if (error instanceof ArmError) return error.toResponse()
      throw error
    })
  }

  async #dispatch(request: RawRequest): Promise<RawResponse> {
    if (metadataPath.test(request.path)) return ok(describeCloud(this.#origin()))
    const caller = await authenticate(request, this.#entraTokens, this.#origin())
    const target = parseTarget(decodePath(request.path))
    if (!target) throw new ArmError(404, 'InvalidRequestUri', `The request path ${request.path} is invalid.`)
    return this.#route({ ...request, caller, version: readApiVersion(request) }, target)
  }

  async #route(request: ArmRequest, target: Target): Promise<RawResponse> {
    switch (target.kind) {
      case 'tenants':
        if (request.method !== 'GET') throw notAllowed(request)
        return ok({ value: [describeTenant()] })
      case 'subscription':
        return this.#answerSubscription(request, target)
      case 'collection':
        return this.#list(target.scope, target.type)
      case 'provider':
        return this.#answerProvider(request, target)
      case 'word':
        return this.#answerWord(request, target)
      case 'resource':
        return this.#answerResource(request, target.id)
    }
  }

  #answerSubscription({ method }: RawRequest, { subscription, word }: Target & { kind: 'subscription' }): RawResponse {
    if (method === 'GET' && word === 'resources') {
      return this.#listAll(this.#tree.below(`/subscriptions/${subscription}`).filter(({ id }) => id.type !== groupType))
    }
    if (method !== 'GET' || word !== '') throw notFound(`/subscriptions/${subscription}/${word}`)
    if (subscription !== '') return ok(describeSubscription(subscription))
    const known = new Set([servedSubscriptionId, ...this.resources().map(({ id }) => id.subscription)])
    return ok({ value: [...known].map(describeSubscription), count: { type: 'Total', value: known.size } })
  }

  async #answerProvider(
    request: ArmRequest,
    { scope, provider, word }: Target & { kind: 'provider' },
  ): Promise<RawResponse> {
    const typeName = `${provider}/${word}`
    const { types } = this.#tree
    if (request.method === 'GET' && this.#tree.typeNamed(typeName)) {
      return this.#list(scope, this.#tree.typeOf(typeName, request.version).type)
    }
    const wanted = `${request.method} ${word}`.toLowerCase()
    if (wanted === 'get ' && provider === '') return ok({ value: listProviders(scope, types) })
    if (wanted === 'post register' || wanted === 'get ') return ok(describeProvider(scope, provider, types))
    if (wanted === 'get operations') return ok({ value: [] })
    if (wanted === 'post checknameavailability') {
      return ok(checkName(provider, readBody(request), types, (type, name) => this.#tree.isTaken(type, name)))
    }
    throw this.#tree.unknownType(typeName, request.version)
  }

  async #answerWord(request: ArmRequest, { id, word }: Target & { kind: 'word' }): Promise<RawResponse> {
    const { method, version } = request
    if (method === 'GET' && id.type === groupType && word === 'resources') {
      this.#tree.find(id)
      return this.#listAll(this.#tree.below(id.id))
    }
    const type = this.#tree.typeOf(id.type, version)
    if (method === 'GET') {
      const child = this.#tree.typeOf(`${id.type}/${word}`, version)
      if (!type.isImplicit) this.#tree.find(id)
      return this.#list(id.id, child.type)
    }
    const action = type.actions?.[word.toLowerCase()]
    if (method !== 'POST' || !action) throw notFound(`${id.id}/${word}`)
    const resource = this.#tree.find(id)
    const save = (envelope: Envelope) => this.#tree.put({ ...resource, envelope })
    return action({ resource, body: readBody(request), save })
  }

  async #answerResource(request: ArmRequest, id: ResourceId): Promise<RawResponse> {
    const { method, version } = request
    const isOperation = /\/locations\/operationstatuses$/i.test(id.type)
    if (isOperation && method === 'GET') {
      return this.#operations.respond(id, ({ kind, path }) => this.#link(kind, path, version))
    }
    const type = this.#tree.typeOf(id.type, version)
    switch (method) {
      case 'HEAD':
        return { status: this.#tree.get(id) ? 204 : 404 }
      case 'GET':
        return ok(this.#tree.show(this.#tree.find(id)))
      case 'PUT':
        // A member that is null is absent.
        return this.#put(id, type, mergePatch({}, readBody(request)), request)
      case 'PATCH':
        return this.#patch(id, type, readBody(request), request)
      case 'DELETE':
        if (type.view) throw notAllowed(request)
        return this.#delete(id, type, version)
      default:
        throw notAllowed(request)
    }
  }

  async #put(
    id: ResourceId,
    type: ResourceType,
    asked: Envelope,
    { caller, version }: ArmRequest,
  ): Promise<RawResponse> {
    this.#tree.checkParent(id)
    const part = this.#writeToParent(id, type, asked)
    if (part) return part
    if (type.pattern && !type.pattern.test(id.name)) {
      throw invalid(
        'InvalidResourceName',
        `The name ${id.name} is not valid for ${type.type}: it must match ${type.pattern}.`,
      )
    }
    const before = this.#tree.get(id)
    if (!before && type.globalName && this.#tree.isTaken(type, id.name)) throw type.globalName.conflict(id.name)
    checkLocation(id, asked, before?.envelope)
    const checked = (await type.put?.(id, asked, before?.envelope)) ?? asked
    const kept = (before && type.inherit?.(checked, before.envelope)) ?? checked
    const envelope = type.hasSystemData ? stampSystemData(kept, before?.envelope, caller) : kept
    const readyAt = type.isLongRunning ? this.#operations.readyAt() : 0
    const resource = { id: before?.id ?? id, envelope, readyAt }
    this.#tree.put(resource)
    const status = before ? 200 : (type.createdStatus ?? 201)
    if (!type.isLongRunning) return { status, body: this.#tree.show(resource) }
    // However long that took, the first answer is that it has begun.
    const body = this.#tree.show({ ...resource, readyAt: Infinity }, before ? [] : type.laterProperties)
    const path = this.#operations.begin({ resource: resource.id, kind: 'write', readyAt })
    return { status, headers: this.#link('write', path, version), body }
  }

  async #patch(id: ResourceId, type: ResourceType, asked: Envelope, { caller }: ArmRequest): Promise<RawResponse> {
    const { id: known, envelope: before } = this.#tree.find(id)
    const merged: Envelope = mergePatch(before, asked)
    const part = this.#writeToParent(id, type, merged)
    if (part) return part
    checkLocation(id, merged, before)
    const kept = (await type.put?.(known, merged, before)) ?? merged
    const envelope = type.hasSystemData ? stampSystemData(kept, before, caller) : kept
    const resource = { id: known, envelope, readyAt: 0 }
    this.#tree.put(resource)
    return ok(this.#tree.show(resource))
  }

  /** Writes a part of a parent, such as a site's settings; returns undefined for a resource of its own. */
  #writeToParent(id: ResourceId, type: ResourceType, asked: Envelope): RawResponse | undefined {
    const parent = type.writeToParent && this.#tree.parentOf(id)
    const envelope = parent && type.writeToParent?.(id, parent, asked)
    if (!envelope) return undefined
    const written = { ...parent, envelope }
    this.#tree.put(written)
    return ok({ id: id.id, name: id.name, type: type.type, ...type.view?.(id, written) })
  }

  async #delete(id: ResourceId, type: ResourceType, version: string): Promise<RawResponse> {
    const resource = this.#tree.get(id)
    if (!resource) {
      this.#tree.checkParent(id)
      if (id.type === groupType) throw this.#tree.missing(id)
      return { status: 204 }
    }
    await this.#tree.remove(resource)
    if (!type.isLongRunning) return { status: type.deletedStatus ?? 200 }
    const path = this.#operations.begin({ resource: id, kind: 'delete', readyAt: this.#operations.readyAt() })
    return { status: 202, headers: this.#link('delete', path, version), body: null }
  }

  #list(scope: string, type: string): RawResponse {
    const target = parseTarget(scope)
    if (target?.kind === 'resource' && target.id.type === groupType) this.#tree.find(target.id)
    return this.#listAll(this.#tree.below(scope).filter(({ id }) => id.type.toLowerCase() === type.toLowerCase()))
  }

  #listAll(resources: readonly KnownResource[]): RawResponse {
    return ok({ value: resources.map((resource) => this.#tree.show(resource)) })
  }

  #link(kind: Operation['kind'], path: string, version: string): Record<string, string> {
    const link = `${this.#origin()}${path}?api-version=${version}`
    const location = kind === 'delete' && { Location: link }
    // differs(arm-retry-after): without one, some clients wait half a minute, as they do for 0. Clients that know the
    // second header wait no longer than an operation takes here.
    return { 'Azure-AsyncOperation': link, ...location, 'Retry-After': '1', 'Retry-After-Ms': '50' }
  }
}

function ok(body: unknown): RawResponse {
  return { status: 200, body }
}

function notAllowed({ method, path }: RawRequest): ArmError {
  return new ArmError(405, 'MethodNotAllowed', `The method ${method} is not allowed at ${path}.`)
}

function notFound(path: string): ArmError {
  return new ArmError(404, 'NotFound', `There is nothing at ${path}.`)
}
