import { ArmError, invalid } from './arm-error.ts'
import { isSame, splitType } from './resource-id.ts'
import type { ResourceTree } from './resource-tree.ts'
import type { ResourceType } from './resource-types.ts'

interface Rejection {
  readonly reason: string
  readonly message: string
}

/** Azure's responses about a name that must be unique in Azure. */
export interface GlobalName {
  /** Type that a name check accepts in place of the resource type. */
  readonly alias?: string
  /** Members of the response for a free name, next to `nameAvailable`. */
  readonly free?: object
  readonly invalid: (name: string) => Rejection
  readonly taken: (name: string) => Rejection
  /** Error for a PUT of a taken name. */
  readonly conflict: (name: string) => ArmError
  /** Whether the emulator itself uses a name. */
  readonly isReserved?: (name: string) => boolean
}

/** Checks whether a name of one of the provider's types is valid and free. Throws an `ArmError`. */
export function checkName(namespace: string, body: Readonly<Record<string, unknown>>, tree: ResourceTree): object {
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
  if (isTaken(type, name, tree)) return { nameAvailable: false, ...globalName.taken(name) }
  return { nameAvailable: true, ...globalName.free }
}

export function isTaken({ type, globalName }: ResourceType, name: string, tree: ResourceTree): boolean {
  const isUsed = tree.list().some(({ id }) => isSame(id.type, type) && isSame(id.name, name))
  return isUsed || globalName?.isReserved?.(name) === true
}

export function communicationServiceName(isReserved: (name: string) => boolean): GlobalName {
  return {
    invalid: () => ({ reason: 'Invalid', message: 'Requested name is invalid for the requested type' }),
    taken: () => ({ reason: 'AlreadyExists', message: 'Requested name is unavailable for the requested type' }),
    conflict: () => new ArmError(400, 'HostNamePrefixTaken', 'Specified host name prefix is not available'),
    isReserved,
  }
}

export const storageAccountName: GlobalName = {
  invalid: (name) => ({
    reason: 'AccountNameInvalid',
    message: `${name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only.`,
  }),
  taken: (name) => ({ reason: 'AlreadyExists', message: `The storage account named ${name} is already taken.` }),
  conflict: (name) =>
    new ArmError(409, 'StorageAccountAlreadyTaken', `The storage account named ${name} is already taken.`),
}

export const siteName: GlobalName = {
  alias: 'Site',
  free: { reason: '', message: '' },
  // guess(site-names)
  invalid: (name) => ({ reason: 'Invalid', message: `'${name}' is not a valid site name.` }),
  taken: (name) => ({
    reason: 'AlreadyExists',
    message: `Hostname '${name}' already exists. Please select a different name.`,
  }),
  conflict: (name) => new ArmError(409, 'Conflict', `Website with given name ${name} already exists.`),
}
