import { timingSafeEqual, hash } from 'node:crypto'
import type { Hostnames } from '../hostnames.ts'
import { OAuthError } from './oauth-error.ts'
import { wellKnownClientSecret, wellKnownConfidentialClientId, wellKnownPublicClientId } from './tenant.ts'

const applicationNames: Readonly<Record<string, string>> = {
  [wellKnownPublicClientId]: 'acs-kit sample app',
  [wellKnownConfidentialClientId]: 'acs-kit sample service',
}

/** Returns the name that the sign-in page shows for a known application. */
export function getApplicationName(clientId: string): string {
  return applicationNames[clientId]!
}

/** Throws an `OAuthError` for an unknown application. */
export function checkClient(clientId: string | undefined): asserts clientId is string {
  if (clientId !== undefined && Object.hasOwn(applicationNames, clientId)) return
  throw new OAuthError(
    'unauthorized_client',
    700016,
    `Unknown application ${clientId ?? ''}: use ${wellKnownPublicClientId} (public) or ${wellKnownConfidentialClientId} (confidential).`,
  )
}

/** Whether an address may receive codes: only those of this machine and of the hostnames may. */
export function isAllowedRedirect(uri: string | undefined, hostnames: Hostnames): uri is string {
  return uri !== undefined && /^https?:/.test(uri) && hostnames.isOwnOrigin(uri) && new URL(uri).hash === ''
}

/** Returns the client id of a token request. Throws an `OAuthError` if the client is unknown or its secret is wrong. */
export function authenticateClient(form: URLSearchParams, authorization: string | undefined): string {
  const basic = /^Basic (.+)$/i.exec(authorization ?? '')?.[1]
  const [basicId, basicSecret] = basic === undefined ? [] : parseBasic(basic)
  const clientId = basicId ?? form.get('client_id') ?? undefined
  checkClient(clientId)
  if (clientId !== wellKnownConfidentialClientId) return clientId
  const secret = basicSecret ?? form.get('client_secret')
  if (secret === null) {
    throw new OAuthError('invalid_client', 7000218, 'The client secret is missing: send client_secret.', 401)
  }
  if (!timingSafeEqual(hash('sha256', secret, 'buffer'), hash('sha256', wellKnownClientSecret, 'buffer'))) {
    throw new OAuthError('invalid_client', 7000215, 'The client secret is wrong: use wellKnownClientSecret.', 401)
  }
  return clientId
}

function parseBasic(value: string): string[] {
  // Both parts are form-encoded first (RFC 6749, section 2.3.1).
  const text = Buffer.from(value, 'base64').toString()
  const parts = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)]
  return parts.map((part) => new URLSearchParams(`x=${part}`).get('x')!)
}
