import crypto, { createPublicKey, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

const signAsync = promisify(crypto.sign)

export interface AccessTokenClaims {
  /** The communication user id without its leading `8:`. */
  readonly skypeid: string
  readonly scp: number
  readonly csi: string
  readonly exp: number
  readonly rgn: string
  /** Comma-separated, without spaces. */
  readonly acsScope: string
  readonly resourceId: string
  readonly resourceLocation: string
  readonly iat: number
  /** Tenant of a Teams user. The Calling SDK recognizes a Teams user's token by this claim. */
  readonly tid?: string
}

export type AccessTokenSigner = ReturnType<typeof createAccessTokenSigner>

/**
 * Signs and verifies access tokens in the service's form: RS256 with RSA-2048, and claims in the service's order.
 * Signing runs on another thread, because it takes longer than the rest of a request.
 */
export function createAccessTokenSigner(privateKey: KeyObject) {
  const publicKey = createPublicKey(privateKey)
  // guess(kid): the service hashes a certificate; this is the hash of the public key alone.
  const thumbprint = crypto.hash('sha1', publicKey.export({ type: 'spki', format: 'der' }), 'buffer')
  const kid = thumbprint.toString('hex').toUpperCase()
  const header = encode({ alg: 'RS256', kid, x5t: thumbprint.toString('base64url'), typ: 'JWT' })

  async function sign(token: {
    communicationUserId: string
    /** Comma-separated. */
    scopes: string
    resourceGuid: string
    dataLocation: string
    iat: number
    exp: number
    tenantId?: string
  }): Promise<string> {
    const claims: AccessTokenClaims = {
      skypeid: token.communicationUserId.slice('8:'.length),
      // guess(scp): the only value ever seen, with one scope and with two.
      scp: 1792,
      // guess(csi): equal to iat in every token seen.
      csi: String(token.iat),
      exp: token.exp,
      // guess(rgn): the only value seen in tokens.
      rgn: 'amer',
      acsScope: token.scopes,
      resourceId: token.resourceGuid,
      resourceLocation: token.dataLocation.toLowerCase().replaceAll(' ', ''),
      iat: token.iat,
      ...(token.tenantId !== undefined && { tid: token.tenantId }),
    }
    const input = `${header}.${encode(claims)}`
    const signature = await signAsync('sha256', Buffer.from(input), privateKey)
    return `${input}.${signature.toString('base64url')}`
  }

  /** Returns the claims of a token that this key signed, even after its expiry; undefined for any other text. */
  function verify(token: string): AccessTokenClaims | undefined {
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

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
