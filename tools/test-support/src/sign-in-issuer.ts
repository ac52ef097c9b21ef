import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTHeaderParameters } from 'jose'

interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

export const audience = 'api://tokens'

/** An OpenID issuer of the tests' own, for tokens that a real one would never sign, and for outages. */
export class SignInIssuer implements AsyncDisposable {
  readonly #server: Server
  #keys: SigningKey[] = []
  readonly issuer: string
  /** While set, every request of discovery and keys fails. */
  isDown = false
  /** Path of its keys, as discovery names it; all paths that end in `/keys` serve them. */
  keysPath = '/keys'
  /** Turns the keys into those that are served at a path. */
  publish: (keys: readonly JWK[], path: string) => readonly object[] = (keys) => keys
  /** Requests of the keys so far. */
  keyRequests = 0

  private constructor(server: Server) {
    this.#server = server
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async start(): Promise<SignInIssuer> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const issuer = new SignInIssuer(server)
    server.on('request', (request, response) => {
      const answer = issuer.#answer(request.url ?? '')
      response.writeHead(answer ? 200 : 503, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer ?? {}))
    })
    await issuer.rotate()
    return issuer
  }

  /** Signs with a new key from now on; the former stays published until `dropOldKeys`. */
  async rotate(): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
    const kid = `key-${this.#keys.length + 1}-${Math.random().toString(36).slice(2)}`
    this.#keys.push({ kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } })
  }

  dropOldKeys(): void {
    this.#keys = this.#keys.slice(-1)
  }

  /** Public half of the current key. */
  get publicKey(): JWK {
    return this.#keys.at(-1)!.jwk
  }

  /** A token as the issuer signs it; claims, `kid` and `typ` may be overridden, or left out with undefined. Times count from `now`, in ms. */
  sign(
    claims: Record<string, unknown> = {},
    { now = Date.now(), ...header }: { now?: number; kid?: string | undefined; typ?: string | undefined } = {},
  ): Promise<string> {
    const key = this.#keys.at(-1)!
    const seconds = Math.floor(now / 1000)
    return new SignJWT({
      iss: this.issuer,
      aud: audience,
      sub: 'alice',
      iat: seconds,
      exp: seconds + 3600,
      scp: 'access_as_user',
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid, ...header } as JWTHeaderParameters)
      .sign(key.privateKey)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #answer(path: string): unknown {
    if (path.endsWith('/keys')) this.keyRequests++
    if (this.isDown) return undefined
    const keys = this.#keys.map(({ jwk }) => jwk)
    if (path.endsWith('/keys')) return { keys: this.publish(keys, path) }
    if (path.endsWith('/.well-known/openid-configuration')) {
      return { issuer: this.issuer, jwks_uri: `${this.issuer}${this.keysPath}` }
    }
    return undefined
  }
}
