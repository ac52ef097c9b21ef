import { createServer } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTHeaderParameters } from 'jose'
import { listenLocally, type LocalServer } from './local-server.ts'

interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

export const audience = 'api://tokens'

/** OpenID issuer for tests: signs any claims, and can fail. */
export class SignInIssuer implements AsyncDisposable {
  readonly #server: LocalServer
  #keys: SigningKey[] = []
  readonly issuer: string
  /** Makes every request fail. */
  isDown = false
  /** Path of the keys in the discovery document. All paths that end in `/keys` serve them. */
  keysPath = '/keys'
  /** Returns the keys to serve at a path. */
  publish: (keys: readonly JWK[], path: string) => readonly object[] = (keys) => keys
  /** Number of requests for keys so far. */
  keyRequests = 0

  private constructor(server: LocalServer) {
    this.#server = server
    this.issuer = `http://127.0.0.1:${server.port}`
  }

  static async start(): Promise<SignInIssuer> {
    const server = createServer()
    const issuer = new SignInIssuer(await listenLocally(server))
    server.on('request', ({ url = '' }, response) => {
      const body = issuer.#find(url)
      response.writeHead(body ? 200 : 503, { 'Content-Type': 'application/json' }).end(JSON.stringify(body ?? {}))
    })
    await issuer.rotate()
    return issuer
  }

  /** Signs with a new key. The previous one stays published until `dropOldKeys`. */
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

  /** Signs a token. Overrides claims, `kid` and `typ`, or omits them if undefined. `now` is in milliseconds. */
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }

  #find(path: string): unknown {
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
