import { timingSafeEqual, hash } from 'node:crypto'
import { OAuthError } from './oauth-error.ts'
import { wellKnownClientSecret, wellKnownConfidentialClientId, wellKnownPublicClientId } from './tenant.ts'

const loopbackRedirect = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?(?:[/?]|$)/

/** Throws an `OAuthError` for an application that the directory does not have. */
export function checkClient(clientId: string | undefined): asserts clientId is string {
  if (clientId === wellKnownPublicClientId || clientId === wellKnownConfidentialClientId) return
  throw new OAuthError(
    'unauthorized_client',
    700016,
    `There is no application ${clientId ?? ''}: the emulator has ${wellKnownPublicClientId} (public) and ${wellKnownConfidentialClientId} (confidential).`,
  )
}

/** Codes go to programs of this machine only. */
export function isRegisteredRedirect(uri: string | undefined): uri is string {
  return uri !== undefined && loopbackRedirect.test(uri) && URL.canParse(uri) && new URL(uri).hash === ''
}

/** Who calls the token endpoint. Throws an `OAuthError` unless the confidential application shows its secret. */
export function authenticateClient(form: URLSearchParams, authorization: string | undefined): string {
  const basic = /^Basic (.+)$/i.exec(authorization ?? '')?.[1]
  const [basicId, basicSecret] = basic === undefined ? [] : readBasic(basic)
  const clientId = basicId ?? form.get('client_id') ?? undefined
  checkClient(clientId)
  if (clientId !== wellKnownConfidentialClientId) return clientId
  const secret = basicSecret ?? form.get('client_secret')
  if (secret === null) {
    throw new OAuthError(
      'invalid_client',
      7000218,
      'The request needs client_secret, or a Basic Authorization header.',
      401,
    )
  }
  if (!timingSafeEqual(hash('sha256', secret, 'buffer'), hash('sha256', wellKnownClientSecret, 'buffer'))) {
    throw new OAuthError('invalid_client', 7000215, 'The client secret is wrong: the emulator’s is a constant.', 401)
  }
  return clientId
}

function readBasic(value: string): string[] {
  // RFC 6749, 2.3.1: both are form-encoded first.
  const text = Buffer.from(value, 'base64').toString()
  const parts = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)]
  return parts.map((part) => new URLSearchParams(`x=${part}`).get('x')!)
}
