import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { childEnvironment } from './child-environment.ts'
import { ServerProcess } from './server-process.ts'

export interface AzuriteOptions {
  /** Default: table. */
  readonly service?: 'table' | 'blob'
  /** Files of certificate and key, for HTTPS. Default: HTTP. */
  readonly tls?: { readonly certificate: string; readonly privateKey: string }
  /** Accepts tokens of Entra ID as well as keys. Checks their claims, but not their signature. Requires `tls`. */
  readonly oauth?: boolean
  /** Folder of the data, made private to its owner. Default: in memory. */
  readonly dataFolder?: string
  /** Default: a free port. */
  readonly port?: number
}

const require = createRequire(import.meta.url)

const account = 'devstoreaccount1'
// Random, because any page or program can sign requests with Azurite's published key. All instances of a process share them, so
// that clients survive a restart.
const accountKeys = [createKey(), createKey()] as const
const [accountKey] = accountKeys

/** One of Azurite's services in a process of its own. All have the same account and keys. */
export class Azurite implements AsyncDisposable {
  static readonly account = account
  static readonly accountKey = accountKey
  /** Primary and secondary key. */
  static readonly accountKeys = accountKeys
  readonly #server: ServerProcess
  readonly #isInMemory: boolean
  readonly port: number
  readonly endpoint: string
  readonly connectionString: string

  private constructor(server: ServerProcess, port: number, { service, tls, dataFolder }: AzuriteOptions) {
    const protocol = tls === undefined ? 'http' : 'https'
    const endpointName = service === 'blob' ? 'BlobEndpoint' : 'TableEndpoint'
    this.#server = server
    this.#isInMemory = dataFolder === undefined
    this.port = port
    this.endpoint = `${protocol}://127.0.0.1:${port}/${account}`
    this.connectionString = `DefaultEndpointsProtocol=${protocol};AccountName=${account};AccountKey=${accountKey};${endpointName}=${this.endpoint};`
  }

  static async start(options: AzuriteOptions = {}): Promise<Azurite> {
    const { service = 'table', tls, oauth = false, dataFolder, port = 0 } = options
    const root = dirname(require.resolve('azurite/package.json'))
    if (dataFolder !== undefined) {
      mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
      // An existing folder may be readable by others.
      chmodSync(dataFolder, 0o700)
    }
    const server = await ServerProcess.start({
      script: join(root, `dist/src/${service}/main.js`),
      args: [
        [`--${service}Port`, String(port), '--silent', '--disableTelemetry'],
        dataFolder === undefined ? ['--inMemoryPersistence'] : ['--location', dataFolder],
        tls === undefined ? [] : ['--cert', tls.certificate, '--key', tls.privateKey],
        oauth ? ['--oauth', 'basic'] : [],
      ].flat(),
      preloads: [
        new URL('exit-with-parent.ts', import.meta.url).href,
        new URL('reject-foreign-hosts.ts', import.meta.url).href,
        new URL('announce-port.ts', import.meta.url).href,
        new URL('without-telemetry.ts', import.meta.url).href,
        // The files map users to identities.
        'data:text/javascript,process.umask(0o077)',
      ],
      env: childEnvironment({ AZURITE_ACCOUNTS: [account, ...accountKeys].join(':') }),
      // `pulumi destroy` needs it after Ctrl+C.
      isDetached: true,
      ready: 'message',
    })
    return new Azurite(server, (server.message as AddressInfo).port, options)
  }

  /** Kills the process as `kill -9` does. */
  kill(): Promise<void> {
    return this.#server.kill()
  }

  /** Stops responding until `resume`, with all connections open. */
  pause(): void {
    process.kill(this.#server.pid, 'SIGSTOP')
  }

  resume(): void {
    process.kill(this.#server.pid, 'SIGCONT')
  }

  [Symbol.asyncDispose](): Promise<void> {
    // When asked to stop, Azurite waits for idle connections. Without a data folder, it has nothing to write.
    return this.#isInMemory ? this.#server.kill() : this.#server[Symbol.asyncDispose]()
  }
}

function createKey(): string {
  return randomBytes(64).toString('base64')
}
