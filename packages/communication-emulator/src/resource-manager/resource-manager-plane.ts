import { decodePath, headerOf, type Answer, type Exchange } from '../exchange.ts'
import { EntraTokenError, type EntraTokens } from '../entra/entra-tokens.ts'
import { wellKnownClientSecret, wellKnownConfidentialClientId, wellKnownTenantId } from '../entra/tenant.ts'
import type { Store } from '../store.ts'
import { ArmError, invalid } from './arm-error.ts'
import { readApiVersion, readBody } from './arm-request.ts'
import { ArmStore } from './arm-store.ts'
import { describeCloud, metadataPath } from './cloud-metadata.ts'
import { Operations } from './operations.ts'
import { groupType, parseTarget, type ResourceId, type Target } from './resource-id.ts'
import { ResourceTree } from './resource-tree.ts'
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

const providerAudience = 'https://management.azure.com'

/** Stands in for Azure Resource Manager: groups, and resources of the types that it was given. */
export class ResourceManagerPlane {
  /** Where tables of all storage accounts are served, such as by Azurite; undefined, as at first: nowhere. */
  tableEndpoint: string | undefined
  readonly #tree: ResourceTree
  readonly #entraTokens: EntraTokens
  readonly #operations = new Operations()
  readonly #origin: () => string

  constructor({ store, entraTokens, types, origin }: ResourceManagerOptions) {
    this.#tree = new ResourceTree(new ArmStore(store), types)
    this.#entraTokens = entraTokens
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

  /** Who may do everything here, and where: what azure-native has as its configuration. Any subscription is one. */
  get servicePrincipal() {
    return {
      metadataHost: this.#origin(),
      tenantId: wellKnownTenantId,
      clientId: wellKnownConfidentialClientId,
      clientSecret: wellKnownClientSecret,
      subscriptionId: '00000000-0000-4000-8000-000000000000',
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
      return this.#listAll(this.#tree.below(`/subscriptions/${subscription}`).filter(({ id }) => id.type !== groupType))
    }
    if (method !== 'GET' || word !== '') throw notFound(`/subscriptions/${subscription}/${word}`)
    if (subscription !== '') return ok(describeSubscription(subscription))
    const known = new Set(this.resources().map(({ id }) => id.subscription))
    return ok({ value: [...known].map(describeSubscription) })
  }

  async #answerProvider(exchange: Exchange, target: Target & { kind: 'provider' }, version: string): Promise<Answer> {
    const { scope, provider, word } = target
    const typeName = `${provider}/${word}`
    if (exchange.method === 'GET' && this.#tree.typeNamed(typeName)) {
      return this.#list(scope, this.#tree.typeOf(typeName, version).type)
    }
    const wanted = `${exchange.method} ${word}`.toLowerCase()
    if (wanted === 'post checknameavailability') return ok(this.#checkName(readBody(exchange)))
    if (wanted === 'post register' || wanted === 'get ') {
      return ok({ id: `${scope}/providers/${provider}`, namespace: provider, registrationState: 'Registered' })
    }
    if (wanted === 'get operations') return ok({ value: [] })
    throw this.#tree.unknownType(typeName, version)
  }

  #checkName({ name, type: asked }: Readonly<Record<string, unknown>>): object {
    const type = this.#tree.typeNamed(String(asked))
    if (!type?.isNameGlobal || typeof name !== 'string')
      throw invalid('InvalidRequest', 'name and a known type are needed.')
    if (type.pattern && !type.pattern.test(name)) {
      return { nameAvailable: false, reason: 'Invalid', message: 'Requested name is invalid for the requested type' }
    }
    if (!this.#tree.isTaken(type, name)) return { nameAvailable: true }
    return {
      nameAvailable: false,
      reason: 'AlreadyExists',
      message: 'Requested name is unavailable for the requested type',
    }
  }

  async #answerWord(exchange: Exchange, { id, word }: Target & { kind: 'word' }, version: string): Promise<Answer> {
    const { method } = exchange
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
    return action({ resource: this.#tree.find(id), body: readBody(exchange) })
  }

  async #answerResource(exchange: Exchange, id: ResourceId, version: string): Promise<Answer> {
    const isOperation = /\/locations\/operation(?:statuses|results)$/i.test(id.type)
    if (isOperation && exchange.method === 'GET') return this.#operations.answer(id.name, this.#linkOf(id, version))
    const type = this.#tree.typeOf(id.type, version)
    switch (exchange.method) {
      case 'HEAD':
        return { status: this.#tree.get(id) ? 204 : 404 }
      case 'GET':
        return ok(this.#tree.show(this.#tree.find(id)))
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
    this.#tree.checkParent(id)
    if (type.pattern && !type.pattern.test(id.name)) {
      throw invalid(
        'InvalidResourceName',
        `The name ${id.name} is no name of a ${type.type}: it has to match ${type.pattern}.`,
      )
    }
    const before = this.#tree.get(id)
    if (!before && type.isNameGlobal && this.#tree.isTaken(type, id.name)) {
      throw new ArmError(409, 'NameUnavailable', `The name ${id.name} is taken: it has to be unique in Azure.`)
    }
    checkLocation(id, asked, before?.envelope)
    const envelope = (await type.put?.(id, asked, before?.envelope)) ?? asked
    const readyAt = type.isLongRunning ? this.#operations.readyAt() : 0
    const resource = { id: before?.id ?? id, envelope, readyAt }
    this.#tree.put(resource)
    const status = before ? 200 : (type.createdStatus ?? 201)
    if (!type.isLongRunning) return { status, body: this.#tree.show(resource) }
    // However long that took, the first answer is that it has begun.
    const body = this.#tree.show({ ...resource, readyAt: Infinity })
    const operation = this.#operations.begin({ resourceId: id.id, kind: 'write', readyAt })
    return { status, headers: this.#link(id, 'operationStatuses', operation, version), body }
  }

  async #patch(id: ResourceId, type: ResourceType, asked: Envelope): Promise<Answer> {
    const { id: known, envelope } = this.#tree.find(id)
    const merged: Envelope = { ...envelope, ...asked, properties: { ...envelope.properties, ...asked.properties } }
    checkLocation(id, merged, envelope)
    const resource = { id: known, envelope: (await type.put?.(known, merged, envelope)) ?? merged, readyAt: 0 }
    this.#tree.put(resource)
    return ok(this.#tree.show(resource))
  }

  async #delete(id: ResourceId, type: ResourceType, version: string): Promise<Answer> {
    const resource = this.#tree.get(id)
    if (!resource) {
      this.#tree.checkParent(id)
      if (id.type === groupType) throw this.#tree.missing(id)
      return { status: 204 }
    }
    await this.#tree.remove(resource)
    if (!type.isLongRunning) return { status: type.deletedStatus ?? 200 }
    const operation = this.#operations.begin({ resourceId: id.id, kind: 'delete', readyAt: this.#operations.readyAt() })
    return { status: 202, headers: this.#link(id, 'operationResults', operation, version) }
  }

  #list(scope: string, type: string): Answer {
    const target = parseTarget(scope)
    if (target?.kind === 'resource' && target.id.type === groupType) this.#tree.find(target.id)
    return this.#listAll(this.#tree.below(scope).filter(({ id }) => id.type.toLowerCase() === type.toLowerCase()))
  }

  #listAll(resources: readonly KnownResource[]): Answer {
    return ok({ value: resources.map((resource) => this.#tree.show(resource)) })
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
