import crypto, { createPublicKey, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

const signAsync = promisify(crypto.sign)

interface AccessToken {
  readonly communicationUserId: string
  /** Comma-separated, without spaces. */
  readonly scopes: string
  readonly resourceGuid: string
  readonly dataLocation: string
  readonly iat: number
  readonly exp: number
  readonly tenantId?: string
}

export type AccessTokenClaims = ReturnType<typeof toClaims>

export type AccessTokenSigner = ReturnType<typeof createAccessTokenSigner>

/** Number of tokens whose signature is not verified again. */
const capacity = 1000

/**
 * Signs and verifies access tokens in the service's form: RS256 with RSA-2048, and claims in the service's order.
 * Signing runs on another thread, because it takes longer than the rest of a request.
 */
export function createAccessTokenSigner(privateKey: KeyObject) {
  const publicKey = createPublicKey(privateKey)
  // guess(kid): the service hashes a certificate; this is the hash of the public key alone.
  const thumbprint = crypto.hash('sha1', publicKey.export({ type: 'spki', format: 'der' }), 'buffer')
  const kid = thumbprint.toString('hex').toUpperCase()
  // Keyed by a hash, so that tokens are not kept. Chat receives a token with every request, and verifying it takes longer than the rest.
  const verified = new Map<string, AccessTokenClaims>()
  const header = encode({ alg: 'RS256', kid, x5t: thumbprint.toString('base64url'), typ: 'JWT' })

  async function sign(token: AccessToken): Promise<string> {
    const input = `${header}.${encode(toClaims(token))}`
    const signature = await signAsync('sha256', Buffer.from(input), privateKey)
    return `${input}.${signature.toString('base64url')}`
  }

  /** Returns the claims of a token that this key signed, even after its expiry; undefined for any other text. */
  function verify(token: string): AccessTokenClaims | undefined {
    const key = crypto.hash('sha256', token, 'base64')
    const known = verified.get(key)
    if (known) return known
    const claims = verifySignature(token)
    if (!claims) return undefined
    verified.set(key, claims)
    if (verified.size > capacity) verified.delete(verified.keys().next().value!)
    return claims
  }

  function verifySignature(token: string): AccessTokenClaims | undefined {
    const [ownHeader, payload = '', signature = '', ...rest] = token.split('.')
    if (ownHeader !== header || rest.length > 0) return undefined
    const input = Buffer.from(`${header}.${payload}`)
    const bytes = Buffer.from(signature, 'base64url')
    if (bytes.toString('base64url') !== signature) return undefined
    if (!crypto.verify('sha256', input, publicKey, bytes)) return undefined
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as AccessTokenClaims
  }

  return { sign, verify }
}

function toClaims({ communicationUserId, scopes, resourceGuid, dataLocation, iat, exp, tenantId }: AccessToken) {
  return {
    skypeid: communicationUserId.slice('8:'.length),
    // guess(scp): the only value ever seen, with one scope and with two.
    scp: 1792,
    // guess(csi): equal to iat in every token seen.
    csi: String(iat),
    exp,
    // guess(rgn): the only value seen in tokens.
    rgn: 'amer',
    acsScope: scopes,
    resourceId: resourceGuid,
    resourceLocation: dataLocation.toLowerCase().replaceAll(' ', ''),
    iat,
    // The Calling SDK recognizes a Teams user's token by this claim.
    ...(tenantId !== undefined && { tid: tenantId }),
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
