import { ArmError, invalid, requireGet } from './arm-error.ts'
import type { RawResponse } from '../raw-request.ts'
import { readBody, type ArmRequest } from './arm-request.ts'
import { isSame, type Target } from './resource-id.ts'
import type { ResourceTree } from './resource-tree.ts'
import type { ResourceType } from './resource-types.ts'

/** Responds for a resource provider, its actions and the collections of its types. Throws an `ArmError`. */
export function respondToProvider(
  request: ArmRequest,
  { scope, namespace, word }: Target & { kind: 'provider' },
  tree: ResourceTree,
): RawResponse {
  const { method, apiVersion } = request
  const typeName = `${namespace}/${word}`
  if (tree.types.find(typeName)) {
    requireGet(request)
    return { status: 200, body: tree.showAll(scope, tree.types.get(typeName, apiVersion).type) }
  }
  const types = tree.types.all
  switch (`${method} ${word}`.toLowerCase()) {
    case 'get ': {
      const body = namespace ? describeProvider(scope.id, namespace, types) : listProviders(scope.id, types)
      return { status: 200, body }
    }
    case 'post register':
      return { status: 200, body: describeProvider(scope.id, namespace, types) }
    case 'get operations':
      return { status: 200, body: { value: [] } }
    case 'post checknameavailability':
      return { status: 200, body: checkName(namespace, readBody(request), tree) }
    default:
      throw tree.types.unknown(typeName, apiVersion)
  }
}

/** Describes a provider with the types and api-versions that it serves. */
function describeProvider(scope: string, requested: string, types: readonly ResourceType[]): object {
  const own = types.filter(({ type }) => isSame(getNamespace(type), requested))
  if (!own[0]) throw new ArmError(404, 'InvalidResourceNamespace', `The resource namespace '${requested}' is invalid.`)
  const namespace = getNamespace(own[0].type)
  return {
    id: `${scope}/providers/${namespace}`,
    namespace,
    registrationPolicy: 'RegistrationRequired',
    resourceTypes: own.map(({ type, apiVersions, listedApiVersion }) => ({
      resourceType: type.slice(namespace.length + 1),
      locations: [],
      // differs(provider-versions): types that serve any api-version list one.
      apiVersions: apiVersions?.toSorted().toReversed() ?? [listedApiVersion],
    })),
    registrationState: 'Registered',
  }
}

function listProviders(scope: string, types: readonly ResourceType[]): object {
  const namespaces = new Set(types.map(({ type }) => getNamespace(type)))
  return { value: [...namespaces].map((namespace) => describeProvider(scope, namespace, types)) }
}

/** Checks whether a name that must be unique in Azure is valid and free. */
function checkName(
  namespace: string,
  { name, type: requested }: Readonly<Record<string, unknown>>,
  tree: ResourceTree,
): object {
  const type = tree.types.all.find(
    ({ type: full, globalName }) =>
      globalName &&
      isSame(getNamespace(full), namespace) &&
      [full, globalName.alias].some((known) => known !== undefined && isSame(known, String(requested))),
  )
  if (!type?.globalName || typeof name !== 'string') {
    throw invalid('InvalidRequest', `A name and a type of ${namespace} with a unique name are required.`)
  }
  const { globalName, pattern } = type
  if (pattern && !pattern.test(name)) return { nameAvailable: false, ...globalName.invalid(name) }
  return tree.isTaken(type, name) ? { nameAvailable: false, ...globalName.taken(name) } : globalName.free
}

function getNamespace(type: string): string {
  return type.slice(0, type.indexOf('/'))
}
