import { createHash } from 'node:crypto'

/** The emulator's one directory. Its ids are constants, as the access key is: they open nothing but an emulator. */
export const wellKnownTenantId = 'acac0000-0000-4000-8000-000000000001'

/** Application of browsers and desktop programs: no secret, PKCE instead. */
export const wellKnownPublicClientId = 'acac0000-0000-4000-8000-000000000002'

/** Application of services. */
export const wellKnownConfidentialClientId = 'acac0000-0000-4000-8000-000000000003'
export const wellKnownClientSecret = 'acs-kit/communication-emulator: a well-known secret, not a secret'

export interface User {
  readonly name: string
  /** Object id: the same name is the same person, for ever and in every emulator. */
  readonly oid: string
  readonly preferredUsername: string
}

/** Anybody exists: users need not be made. Case and outer spaces of a name don't matter. */
export function userOf(name: string): User {
  const key = name.trim().toLowerCase()
  return {
    name: name.trim(),
    oid: guidOf('user', key),
    preferredUsername: key.includes('@') ? key : `${key.replaceAll(/[^\w.-]+/g, '.')}@emulator.example`,
  }
}

/** Of an application or managed identity, which has an object id too. */
export function servicePrincipalOf(clientId: string): string {
  return guidOf('service principal', clientId)
}

/** As Entra ID's `sub`, different for each application. */
export function pairwiseSubject(oid: string, audience: string): string {
  return createHash('sha256').update(`${oid} ${audience}`).digest('base64url')
}

/** Made up, and always the same for the same name. */
export function guidOf(kind: string, name: string): string {
  const hex = createHash('sha256').update(`${wellKnownTenantId} ${kind} ${name}`).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
