import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

const signAsync = promisify(sign)

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

/**
 * Signs and verifies access tokens in the service's form: RS256 with RSA-2048, and claims in the service's order.
 * Signing runs on another thread, because it takes longer than the rest of a request.
 */
export class AccessTokenSigner {
  readonly #privateKey: KeyObject
  readonly #publicKey: KeyObject
  readonly #header: string

  constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey
    this.#publicKey = createPublicKey(privateKey)
    // guess(kid): the service hashes a certificate; this is the hash of the public key alone.
    const thumbprint = createHash('sha1')
      .update(this.#publicKey.export({ type: 'spki', format: 'der' }))
      .digest()
    this.#header = encode({
      alg: 'RS256',
      kid: thumbprint.toString('hex').toUpperCase(),
      x5t: thumbprint.toString('base64url'),
      typ: 'JWT',
    })
  }

  async sign(token: {
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
    const input = `${this.#header}.${encode(claims)}`
    const signature = await signAsync('sha256', Buffer.from(input), this.#privateKey)
    return `${input}.${signature.toString('base64url')}`
  }

  /** Returns the claims of a token that this key signed, even after its expiry; undefined for any other text. */
  verify(token: string): AccessTokenClaims | undefined {
    const [header, payload = '', signature = '', ...rest] = token.split('.')
    if (header !== this.#header || rest.length > 0) return undefined
    const input = Buffer.from(`${header}.${payload}`)
    const bytes = Buffer.from(signature, 'base64url')
    if (bytes.toString('base64url') !== signature || !verify('sha256', input, this.#publicKey, bytes)) return undefined
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as AccessTokenClaims
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
