import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { CompactSign, compactVerify } from 'jose'

export interface AccessTokenClaims {
  /** The communication user id without its leading `8:`. */
  readonly skypeid: string
  readonly scp: number
  readonly csi: string
  readonly exp: number
  readonly rgn: string
  /** Joined by commas, without spaces. */
  readonly acsScope: string
  readonly resourceId: string
  readonly resourceLocation: string
  readonly iat: number
}

/** Signs and verifies access tokens in the service's form: RS256 over RSA-2048, claims in the order of real ones. */
export class AccessTokenSigner {
  readonly #privateKey: KeyObject
  readonly #publicKey: KeyObject
  readonly #header: { alg: string; kid: string; x5t: string; typ: string }

  constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey
    this.#publicKey = createPublicKey(privateKey)
    // guess(kid): the service hashes a certificate; here it is the public key alone.
    const thumbprint = createHash('sha1')
      .update(this.#publicKey.export({ type: 'spki', format: 'der' }))
      .digest()
    this.#header = {
      alg: 'RS256',
      kid: thumbprint.toString('hex').toUpperCase(),
      x5t: thumbprint.toString('base64url'),
      typ: 'JWT',
    }
  }

  get kid(): string {
    return this.#header.kid
  }

  sign(token: {
    communicationUserId: string
    scopes: readonly string[]
    resourceGuid: string
    dataLocation: string
    iat: number
    exp: number
  }): Promise<string> {
    const claims: AccessTokenClaims = {
      skypeid: token.communicationUserId.slice('8:'.length),
      // guess(scp): the one value that was ever seen, with one scope and with two.
      scp: 1792,
      // guess(csi): equal to iat in every token that was seen.
      csi: String(token.iat),
      exp: token.exp,
      // guess(rgn): the one value that was ever seen.
      rgn: 'amer',
      acsScope: token.scopes.join(','),
      resourceId: token.resourceGuid,
      resourceLocation: token.dataLocation.toLowerCase().replaceAll(' ', ''),
      iat: token.iat,
    }
    return new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(this.#header).sign(this.#privateKey)
  }

  /** The claims of a token that this key signed, expired or not; undefined for anything else. */
  async verify(token: string): Promise<AccessTokenClaims | undefined> {
    try {
      const { payload } = await compactVerify(token, this.#publicKey, { algorithms: ['RS256'] })
      return JSON.parse(Buffer.from(payload).toString()) as AccessTokenClaims
    } catch {
      return undefined
    }
  }
}
