import { createHash } from 'node:crypto'

/** Id of the emulator's only tenant. Like the access key, these ids are constants, and work only with emulators. */
export const wellKnownTenantId = 'acac0000-0000-4000-8000-000000000001'

/** Client id of the application for browsers and desktop programs, which has no secret and uses PKCE. */
export const wellKnownPublicClientId = 'acac0000-0000-4000-8000-000000000002'

/** Client id of the application for services, which has a secret. */
export const wellKnownConfidentialClientId = 'acac0000-0000-4000-8000-000000000003'

/** Secret of the confidential application. It is public, like the access key. */
export const wellKnownClientSecret = 'acs-kit/communication-emulator: a well-known secret, not a secret'

/**
 * Returns the claims of the user with a name. Any name is valid; case and outer spaces are ignored. The object id, `oid`, is
 * the same in every emulator.
 */
export function toUser(name: string) {
  const key = name.trim().toLowerCase()
  return {
    name: name.trim(),
    oid: toGuid('user', key),
    preferred_username: key.includes('@') ? key : `${key.replaceAll(/[^\w.-]+/g, '.')}@emulator.example`,
  }
}

/** Returns the object id of an application or managed identity. */
export function toServicePrincipalId(clientId: string): string {
  return toGuid('service principal', clientId)
}

/** Returns the client id of the managed identity with a resource id. */
export function toManagedIdentityClientId(resourceId: string): string {
  return toGuid('managed identity', resourceId.toLowerCase())
}

/** Returns a `sub` that, like Entra ID's, differs between applications. */
export function toPairwiseSubject(oid: string, audience: string): string {
  return createHash('sha256').update(`${oid} ${audience}`).digest('base64url')
}

/** Returns a GUID that is always the same for the same name. */
function toGuid(kind: string, name: string): string {
  const hex = createHash('sha256').update(`${wellKnownTenantId} ${kind} ${name}`).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
