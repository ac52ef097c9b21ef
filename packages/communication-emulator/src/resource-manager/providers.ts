import type { RawResponse } from '../raw-request.ts'
import { ArmError, invalid } from './arm-error.ts'
import { readBody, respondToGet, type ArmRequest } from './arm-request.ts'
import { isSame, splitType, type Target } from './resource-id.ts'
import type { ResourceTree } from './resource-tree.ts'
import type { ResourceType } from './resource-types.ts'

/** Handles a request to a resource provider, its actions or the collections of its types. Throws an `ArmError`. */
export function respondToProvider(
  request: ArmRequest,
  { scope, namespace, word }: Target & { kind: 'provider' },
  tree: ResourceTree,
): RawResponse {
  const typeName = `${namespace}/${word}`
  if (tree.findType(typeName)) {
    return respondToGet(request, () => tree.showAll(scope, tree.getType(typeName, request.apiVersion).type))
  }
  switch (`${request.method} ${word}`.toLowerCase()) {
    case 'get ':
      if (namespace === '') return { status: 200, body: listProviders(scope.id, tree.types) }
      return { status: 200, body: describeProvider(scope.id, namespace, tree.types) }
    case 'post register':
      return { status: 200, body: describeProvider(scope.id, namespace, tree.types) }
    case 'get operations':
      return { status: 200, body: { value: [] } }
    case 'post checknameavailability':
      return { status: 200, body: checkName(namespace, readBody(request), tree) }
    default:
      throw tree.toUnknownTypeError(typeName, request.apiVersion)
  }
}

function listProviders(scope: string, types: readonly ResourceType[]): object {
  const namespaces = new Set(types.map(({ type }) => splitType(type)[0]))
  return { value: [...namespaces].map((namespace) => describeProvider(scope, namespace, types)) }
}

/** Describes a provider with the types and api-versions that it serves. */
function describeProvider(scope: string, requested: string, types: readonly ResourceType[]): object {
  const own = types.filter(({ type }) => isSame(splitType(type)[0], requested))
  if (!own[0]) throw new ArmError(404, 'InvalidResourceNamespace', `The resource namespace '${requested}' is invalid.`)
  const [namespace] = splitType(own[0].type)
  return {
    id: `${scope}/providers/${namespace}`,
    namespace,
    registrationPolicy: 'RegistrationRequired',
    resourceTypes: own.map(({ type, apiVersions, listedApiVersion }) => ({
      resourceType: splitType(type)[1],
      locations: [],
      // differs(provider-versions): types that serve any api-version list one.
      apiVersions: apiVersions?.toSorted().toReversed() ?? [listedApiVersion],
    })),
    registrationState: 'Registered',
  }
}

/** Checks whether a name of one of the provider's types is valid and free. Throws an `ArmError`. */
function checkName(namespace: string, body: Readonly<Record<string, unknown>>, tree: ResourceTree): object {
  const { name, type: requested } = body
  const type = tree.types.find(
    ({ type: full, globalName }) =>
      globalName &&
      isSame(splitType(full)[0], namespace) &&
      [full, globalName.alias ?? full].some((known) => isSame(known, String(requested))),
  )
  if (!type?.globalName || typeof name !== 'string') {
    throw invalid('InvalidRequest', `A name and a type of ${namespace} with a unique name are required.`)
  }
  const { globalName, pattern } = type
  if (pattern && !pattern.test(name)) return { nameAvailable: false, ...globalName.invalid(name) }
  if (tree.isTaken(type, name)) return { nameAvailable: false, ...globalName.taken(name) }
  return { nameAvailable: true, ...globalName.free }
}
