import { ArmError, invalid } from './arm-error.ts'
import { isSame } from './resource-id.ts'
import type { ResourceType } from './resource-types.ts'

/** A resource provider, with the types and api-versions that it serves. Throws an `ArmError` if it is unknown. */
export function describeProvider(scope: string, asked: string, types: readonly ResourceType[]): object {
  const own = types.filter(({ type }) => isSame(providerOf(type), asked))
  if (!own[0]) throw new ArmError(404, 'InvalidResourceNamespace', `The resource namespace '${asked}' is invalid.`)
  const namespace = providerOf(own[0].type)
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

export function listProviders(scope: string, types: readonly ResourceType[]): object[] {
  const namespaces = new Set(types.map(({ type }) => providerOf(type)))
  return [...namespaces].map((namespace) => describeProvider(scope, namespace, types))
}

/** Checks a name of one of the provider's types. Throws an `ArmError`. */
export function checkName(
  provider: string,
  { name, type: asked }: Readonly<Record<string, unknown>>,
  types: readonly ResourceType[],
  isTaken: (type: ResourceType, name: string) => boolean,
): object {
  const type = types.find(
    ({ type: full, globalName }) =>
      globalName &&
      isSame(providerOf(full), provider) &&
      [full, globalName.alias].some((known) => known !== undefined && isSame(known, String(asked))),
  )
  if (!type?.globalName || typeof name !== 'string') {
    throw invalid('InvalidRequest', `A name and a type of ${provider} with a unique name are required.`)
  }
  const { globalName, pattern } = type
  if (pattern && !pattern.test(name)) return { nameAvailable: false, ...globalName.invalid(name) }
  return isTaken(type, name) ? { nameAvailable: false, ...globalName.taken(name) } : globalName.free
}

function providerOf(type: string): string {
  return type.slice(0, type.indexOf('/'))
}
