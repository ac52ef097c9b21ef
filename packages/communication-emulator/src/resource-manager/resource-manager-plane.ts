import { decodePath, headerOf, type Answer, type Exchange } from '../exchange.ts'
import { EntraTokenError, type EntraTokens } from '../entra/entra-tokens.ts'
import type { Store } from '../store.ts'
import { ArmError, invalid } from './arm-error.ts'
import { readApiVersion, readBody } from './arm-request.ts'
import { ArmStore } from './arm-store.ts'
import { describeCloud, metadataPath } from './cloud-metadata.ts'
import { Operations } from './operations.ts'
import { parseTarget, type ResourceId, type Target } from './resource-id.ts'
import type { Envelope, KnownResource, ResourceType } from './resource-types.ts'

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

const groupType = 'Microsoft.Resources/resourceGroups'
const providerAudience = 'https://management.azure.com'

/** Stands in for Azure Resource Manager: groups, and resources of the types that it was given. */
export class ResourceManagerPlane {
  readonly #store: ArmStore
  readonly #entraTokens: EntraTokens
  readonly #types: ReadonlyMap<string, ResourceType>
  readonly #operations = new Operations()
  readonly #origin: () => string

  constructor({ store, entraTokens, types, origin }: ResourceManagerOptions) {
    this.#store = new ArmStore(store)
    this.#entraTokens = entraTokens
    this.#types = new Map(types.map((type) => [type.type.toLowerCase(), type]))
    this.#origin = origin
  }

  static owns({ path }: Exchange): boolean {
    return /^\/+(?:subscriptions(?:\/|$)|providers\/|metadata\/endpoints$)/i.test(path)
  }

  operationOf({ method, path }: Exchange): ResourceManagerOperation | undefined {
    if (metadataPath.test(path)) return 'cloudMetadata'
    if (method === 'GET') return parseTarget(decodePath(path))?.kind === 'resource' ? 'armGet' : 'armList'
    return { HEAD: 'armGet', PUT: 'armPut', PATCH: 'armPatch', DELETE: 'armDelete', POST: 'armAction' }[method] as
      | ResourceManagerOperation
      | undefined
  }

  /** All resources that there are, for those who want to see that nothing is left. */
  resources(): KnownResource[] {
    return this.#store.below('')
  }

  /** Deletes everything. */
  async clear(): Promise<void> {
    for (const resource of this.resources().toReversed()) await this.#remove(resource)
  }

  async answer(exchange: Exchange): Promise<Answer> {
    try {
      if (metadataPath.test(exchange.path)) return { status: 200, body: describeCloud(this.#origin()) }
      await this.#authenticate(exchange)
      const target = parseTarget(decodePath(exchange.path))
      if (!target) throw new ArmError(404, 'InvalidRequestUri', `There is nothing at ${exchange.path}.`)
      const version = readApiVersion(exchange)
      return await this.#answer(exchange, target, version)
    } catch (error) {
      if (error instanceof ArmError) return error.toAnswer()
      throw error
    }
  }

  async #authenticate({ headers }: Exchange): Promise<void> {
    const authorization = headerOf(headers, 'authorization') ?? ''
    const challenge = { 'WWW-Authenticate': `Bearer authorization_uri="${this.#origin()}/", error="invalid_token"` }
    const refuse = (code: string, message: string) => new ArmError(401, code, message, challenge)
    if (authorization === '') {
      throw refuse('AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.")
    }
    const token = /^Bearer (\S+)$/i.exec(authorization)?.[1]
    if (token === undefined) {
      throw refuse(
        'AuthenticationFailedInvalidHeader',
        "Authentication failed. The 'Authorization' header is no Bearer.",
      )
    }
    const audiences = [this.#origin(), providerAudience].flatMap((audience) => [audience, `${audience}/`])
    await this.#entraTokens.verify(token, audiences).catch((error: unknown) => {
      if (!(error instanceof EntraTokenError)) throw error
      // guess(arm-token-errors)
      const code = error.code === 'TokenExpired' ? 'ExpiredAuthenticationToken' : 'InvalidAuthenticationToken'
      throw refuse(code, error.message)
    })
  }

  async #answer(exchange: Exchange, target: Target, version: string): Promise<Answer> {
    switch (target.kind) {
      case 'subscription':
        return this.#answerSubscription(exchange, target)
      case 'collection':
        return this.#list(target.scope, target.type)
      case 'provider':
        return this.#answerProvider(exchange, target, version)
      case 'word':
        return this.#answerWord(exchange, target, version)
      case 'resource':
        return this.#answerResource(exchange, target.id, version)
    }
  }

  #answerSubscription({ method }: Exchange, { subscription, word }: Target & { kind: 'subscription' }): Answer {
    if (method === 'GET' && word === 'resources') {
      const all = this.#store.below(`/subscriptions/${subscription}`).filter(({ id }) => id.type !== groupType)
      return ok({ value: all.map((resource) => this.#show(resource)) })
    }
    if (method !== 'GET' || word !== '') throw notFound(`/subscriptions/${subscription}/${word}`)
    if (subscription !== '') return ok(describeSubscription(subscription))
    return ok({ value: [...this.#subscriptions()].map(describeSubscription) })
  }

  #subscriptions(): Set<string> {
    return new Set(this.resources().map(({ id }) => id.subscription))
  }

  async #answerProvider(exchange: Exchange, target: Target & { kind: 'provider' }, version: string): Promise<Answer> {
    const { scope, provider, word } = target
    const type = this.#types.get(`${provider}/${word}`.toLowerCase())
    if (exchange.method === 'GET' && type) {
      checkVersion(type, version)
      return this.#list(scope, type.type)
    }
    const wanted = `${exchange.method} ${word}`.toLowerCase()
    if (wanted === 'post checknameavailability') return ok(this.#checkName(readBody(exchange)))
    if (wanted === 'post register' || wanted === 'get ') {
      return ok({ id: `${scope}/providers/${provider}`, namespace: provider, registrationState: 'Registered' })
    }
    if (wanted === 'get operations') return ok({ value: [] })
    throw unknownType(`${provider}/${word}`, version, this.#types.values())
  }

  #checkName({ name, type: asked }: Readonly<Record<string, unknown>>): object {
    const type = this.#types.get(String(asked).toLowerCase())
    if (!type?.isNameGlobal || typeof name !== 'string')
      throw invalid('InvalidRequest', 'name and a known type are needed.')
    if (type.pattern && !type.pattern.test(name)) {
      return { nameAvailable: false, reason: 'Invalid', message: 'Requested name is invalid for the requested type' }
    }
    if (!this.#isTaken(type, name)) return { nameAvailable: true }
    return {
      nameAvailable: false,
      reason: 'AlreadyExists',
      message: 'Requested name is unavailable for the requested type',
    }
  }

  #isTaken(type: ResourceType, name: string, but = ''): boolean {
    return this.resources().some(
      ({ id }) => id.type === type.type && id.name.toLowerCase() === name.toLowerCase() && id.key !== but,
    )
  }

  async #answerWord(exchange: Exchange, { id, word }: Target & { kind: 'word' }, version: string): Promise<Answer> {
    const { method } = exchange
    if (method === 'GET' && id.type === groupType && word === 'resources') {
      this.#find(id)
      const all = this.#store.below(id.id)
      return ok({ value: all.map((resource) => this.#show(resource)) })
    }
    const type = this.#typeOf(id, version)
    if (method === 'GET') {
      const child = this.#types.get(`${id.type}/${word}`.toLowerCase())
      if (!child) throw unknownType(`${id.type}/${word}`, version, this.#types.values())
      if (!type.isImplicit) this.#find(id)
      return this.#list(id.id, child.type)
    }
    const action = type.actions?.[word.toLowerCase()]
    if (method !== 'POST' || !action) throw notFound(`${id.id}/${word}`)
    const resource = type.isImplicit ? { id, envelope: {} } : this.#find(id)
    return action({ resource, body: readBody(exchange), keep: (envelope) => this.#store.put(resource.id, envelope, 0) })
  }

  async #answerResource(exchange: Exchange, id: ResourceId, version: string): Promise<Answer> {
    const isOperation = /\/locations\/operation(?:statuses|results)$/i.test(id.type)
    if (isOperation && exchange.method === 'GET') return this.#operations.answer(id.name, this.#linkOf(id, version))
    const type = this.#typeOf(id, version)
    switch (exchange.method) {
      case 'HEAD':
        return { status: this.#store.get(id.key) ? 204 : 404 }
      case 'GET':
        return ok(this.#show(this.#find(id)))
      case 'PUT':
        return this.#put(id, type, readBody(exchange), version)
      case 'PATCH':
        return this.#patch(id, type, readBody(exchange))
      case 'DELETE':
        return this.#delete(id, type, version)
      default:
        throw new ArmError(405, 'MethodNotAllowed', `${exchange.method} is not allowed there.`)
    }
  }

  async #put(id: ResourceId, type: ResourceType, asked: Envelope, version: string): Promise<Answer> {
    this.#checkParent(id)
    if (type.pattern && !type.pattern.test(id.name)) {
      throw invalid(
        'InvalidResourceName',
        `The name ${id.name} is no name of a ${type.type}: it has to match ${type.pattern}.`,
      )
    }
    const before = this.#store.get(id.key)
    if (!before && type.isNameGlobal && this.#isTaken(type, id.name)) {
      throw new ArmError(409, 'NameUnavailable', `The name ${id.name} is taken: it has to be unique in Azure.`)
    }
    checkLocation(id, asked, before?.envelope)
    const envelope = (await type.put?.(id, asked, before?.envelope)) ?? asked
    const readyAt = type.isLongRunning ? this.#operations.readyAt() : 0
    this.#store.put(before?.id ?? id, envelope, readyAt)
    const body = this.#show(this.#find(id), { isJustPut: true })
    const status = before ? 200 : (type.createdStatus ?? 201)
    if (!type.isLongRunning) return { status, body }
    const operation = this.#operations.begin({ resourceId: id.id, kind: 'write', readyAt })
    return { status, headers: this.#link(id, 'operationStatuses', operation, version), body }
  }

  async #patch(id: ResourceId, type: ResourceType, asked: Envelope): Promise<Answer> {
    const { id: known, envelope } = this.#find(id)
    const merged: Envelope = { ...envelope, ...asked, properties: { ...envelope.properties, ...asked.properties } }
    checkLocation(id, merged, envelope)
    this.#store.put(known, (await type.put?.(known, merged, envelope)) ?? merged, 0)
    return ok(this.#show(this.#find(id)))
  }

  async #delete(id: ResourceId, type: ResourceType, version: string): Promise<Answer> {
    const resource = this.#store.get(id.key)
    if (!resource) {
      this.#checkParent(id)
      if (id.type === groupType) throw this.#missing(id)
      return { status: 204 }
    }
    for (const inner of this.#store.below(resource.id.id).toReversed()) await this.#remove(inner)
    await this.#remove(resource)
    if (!type.isLongRunning) return { status: type.deletedStatus ?? 200 }
    const operation = this.#operations.begin({ resourceId: id.id, kind: 'delete', readyAt: this.#operations.readyAt() })
    return { status: 202, headers: this.#link(id, 'operationResults', operation, version) }
  }

  async #remove(resource: KnownResource): Promise<void> {
    this.#store.delete(resource.id.key)
    await this.#types.get(resource.id.type.toLowerCase())?.deleted?.(resource)
  }

  #list(scope: string, type: string): Answer {
    if (/\/resourceGroups\/[^/]+$/i.test(scope)) this.#findScope(scope)
    const found = this.#store.below(scope).filter(({ id }) => id.type.toLowerCase() === type.toLowerCase())
    return ok({ value: found.map((resource) => this.#show(resource)) })
  }

  #show(resource: KnownResource, { isJustPut = false } = {}): object {
    const { id } = resource
    const type = this.#types.get(id.type.toLowerCase())!
    const { properties, ...envelope } = type.show?.(resource) ?? resource.envelope
    const isReady = !isJustPut || !type.isLongRunning
    const isDone = isReady && (this.#store.get(id.key)?.readyAt ?? 0) <= Date.now()
    return {
      id: id.id,
      name: id.name,
      type: type.shownType ?? type.type,
      ...envelope,
      properties: { ...properties, provisioningState: isDone ? 'Succeeded' : 'Accepted' },
    }
  }

  #find(id: ResourceId): KnownResource {
    const resource = this.#store.get(id.key) ?? this.#view(id)
    if (!resource) throw this.#missing(id)
    return resource
  }

  #view(id: ResourceId): KnownResource | undefined {
    const parent = parseTarget(id.parent)
    const view = this.#types.get(id.type.toLowerCase())?.view
    const envelope = view && parent?.kind === 'resource' ? view(id, this.#find(parent.id)) : undefined
    return envelope && { id, envelope }
  }

  #findScope(scope: string): void {
    const target = parseTarget(scope)
    if (target?.kind === 'resource') this.#find(target.id)
  }

  #missing(id: ResourceId): ArmError {
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
  #checkParent(id: ResourceId): void {
    const target = parseTarget(id.parent)
    if (target?.kind !== 'resource') return
    const type = this.#types.get(target.id.type.toLowerCase())
    if (type?.isImplicit) return this.#checkParent(target.id)
    if (this.#store.get(target.id.key)) return
    if (target.id.type === groupType) throw this.#missing(target.id)
    throw new ArmError(404, 'ParentResourceNotFound', `The parent resource ${target.id.id} could not be found.`)
  }

  #typeOf(id: ResourceId, version: string): ResourceType {
    const type = this.#types.get(id.type.toLowerCase())
    if (!type) throw unknownType(id.type, version, this.#types.values())
    checkVersion(type, version)
    return type
  }

  #link(id: ResourceId, word: string, operation: string, version: string): Record<string, string> {
    const provider = id.type.split('/')[0]!
    const path = `/subscriptions/${id.subscription}/providers/${provider}/locations/global/${word}/${operation}`
    const link = `${this.#origin()}${path}?api-version=${version}`
    // differs(arm-retry-after): without one, some clients wait half a minute.
    const header = word === 'operationStatuses' ? 'Azure-AsyncOperation' : 'Location'
    return { [header]: link, 'Retry-After': '0' }
  }

  #linkOf(id: ResourceId, version: string): Record<string, string> {
    return this.#link(id, id.type.endsWith('esults') ? 'operationResults' : 'operationStatuses', id.name, version)
  }
}

function describeSubscription(subscriptionId: string): object {
  return { id: `/subscriptions/${subscriptionId}`, subscriptionId, displayName: 'emulated Azure', state: 'Enabled' }
}

function ok(body: unknown): Answer {
  return { status: 200, body }
}

function notFound(path: string): ArmError {
  return new ArmError(404, 'NotFound', `There is nothing at ${path}.`)
}

function unknownType(type: string, version: string, known: Iterable<ResourceType>): ArmError {
  const names = [...known].map((one) => one.type).join(', ')
  return new ArmError(
    404,
    'InvalidResourceType',
    `The resource type ${type} could not be found for api version ${version}. The emulator has: ${names}.`,
  )
}

function checkVersion({ type, apiVersions }: ResourceType, version: string): void {
  if (!apiVersions || apiVersions.includes(version)) return
  throw invalid(
    'NoRegisteredProviderFound',
    `No registered resource provider found for API version '${version}' for type '${type}'. The supported api-versions are '${apiVersions.join(', ')}'.`,
  )
}

function checkLocation({ id }: ResourceId, asked: Envelope, before: Envelope | undefined): void {
  if (before?.location === undefined || plainLocation(asked.location) === plainLocation(before.location)) return
  throw new ArmError(
    409,
    'InvalidResourceLocation',
    `The resource ${id} already exists in location '${before.location}'. It cannot be in '${asked.location}', too.`,
  )
}

/** `West Europe` is `westeurope`. */
function plainLocation(location: unknown): string {
  return String(location).toLowerCase().replaceAll(' ', '')
}
