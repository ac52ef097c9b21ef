export { startEmulator, type EmulatedResource, type Emulator, type EmulatorOptions } from './emulator.ts'
export type { ArmedFault, Fault } from './faults.ts'
export type { Introspection, ListedIdentity, ListedToken, TokenState } from './identity/identities.ts'
export type { EntraPlane, SignInOptions, SignInResult } from './entra/entra-plane.ts'
export {
  wellKnownClientSecret,
  wellKnownConfidentialClientId,
  wellKnownPublicClientId,
  wellKnownTenantId,
} from './entra/tenant.ts'
export { InvalidSettingError } from './invalid-setting-error.ts'
export { documentedQuotas, type Quotas } from './quotas.ts'
export type { LoggedRequest } from './request-log.ts'
export {
  defaultResourceName,
  wellKnownAccessKey,
  wellKnownConnectionString,
  wellKnownPort,
  type KeySlot,
} from './access-key.ts'
export type { ResourceOptions } from './resource.ts'
