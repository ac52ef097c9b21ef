import { ArmError } from './arm-error.ts'

interface Rejection {
  readonly reason: string
  readonly message: string
}

/** Azure's responses about a name that must be unique in Azure. */
export interface GlobalName {
  /** Type that a name check accepts in place of the resource type. */
  readonly alias?: string
  /** Response to a check of a free name. */
  readonly free: object
  readonly invalid: (name: string) => Rejection
  readonly taken: (name: string) => Rejection
  /** Error for a PUT of a taken name. */
  readonly conflict: (name: string) => ArmError
  /** Whether the emulator itself uses a name. */
  readonly isReserved?: (name: string) => boolean
}

const unavailable = 'Requested name is unavailable for the requested type'

export function communicationServiceName(isReserved: (name: string) => boolean): GlobalName {
  return {
    free: { nameAvailable: true },
    invalid: () => ({ reason: 'Invalid', message: 'Requested name is invalid for the requested type' }),
    taken: () => ({ reason: 'AlreadyExists', message: unavailable }),
    conflict: () => new ArmError(400, 'HostNamePrefixTaken', 'Specified host name prefix is not available'),
    isReserved,
  }
}

export const storageAccountName: GlobalName = {
  free: { nameAvailable: true },
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
  free: { nameAvailable: true, reason: '', message: '' },
  // guess(site-names)
  invalid: (name) => ({ reason: 'Invalid', message: `'${name}' is not a valid site name.` }),
  taken: (name) => ({
    reason: 'AlreadyExists',
    message: `Hostname '${name}' already exists. Please select a different name.`,
  }),
  conflict: (name) => new ArmError(409, 'Conflict', `Website with given name ${name} already exists.`),
}
