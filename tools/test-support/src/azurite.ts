import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { childEnvironment } from './child-environment.ts'
import { ServerProcess } from './server-process.ts'

export interface AzuriteOptions {
  /** Certificate and key, as files, for HTTPS; default plain HTTP. */
  readonly tls?: { readonly certificate: string; readonly privateKey: string }
  /** Takes tokens of Entra ID beside keys; it looks at their claims and not at their signature. Needs `tls`. */
  readonly oauth?: boolean
  /** Folder that keeps the tables, for its owner only; default in memory. */
  readonly dataFolder?: string
  /** Default a free one. */
  readonly port?: number
}

const require = createRequire(import.meta.url)

const account = 'devstoreaccount1'
// New in each process, and in memory only: with Azurite's published key, any page or program could sign requests. All
// stores of a process share them, so that clients survive a restart of theirs.
const accountKeys = [createKey(), createKey()] as const
const [accountKey] = accountKeys

/** Azurite's table service, as a process of its own. */
export class Azurite implements AsyncDisposable {
  static readonly account = account
  static readonly accountKey = accountKey
  /** Both keys, as Azure has two for each account. */
  static readonly accountKeys = accountKeys
  readonly #server: ServerProcess
  readonly port: number
  readonly endpoint: string
  readonly connectionString: string

  private constructor(server: ServerProcess, port: number, protocol: 'http' | 'https') {
    this.#server = server
    this.port = port
    this.endpoint = `${protocol}://127.0.0.1:${port}/${account}`
    this.connectionString = `DefaultEndpointsProtocol=${protocol};AccountName=${account};AccountKey=${accountKey};TableEndpoint=${this.endpoint};`
  }

  static async start({ tls, oauth = false, dataFolder, port = 0 }: AzuriteOptions = {}): Promise<Azurite> {
    const root = dirname(require.resolve('azurite/package.json'))
    if (dataFolder !== undefined) {
      mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
      // It may be from a time when others could read it.
      chmodSync(dataFolder, 0o700)
    }
    const server = await ServerProcess.start({
      script: join(root, 'dist/src/table/main.js'),
      args: [
        ['--tablePort', String(port), '--silent', '--disableTelemetry'],
        dataFolder === undefined ? ['--inMemoryPersistence'] : ['--location', dataFolder],
        tls === undefined ? [] : ['--cert', tls.certificate, '--key', tls.privateKey],
        oauth ? ['--oauth', 'basic'] : [],
      ].flat(),
      execArgs: [
        new URL('exit-with-parent.ts', import.meta.url).href,
        new URL('reject-foreign-hosts.ts', import.meta.url).href,
        new URL('announce-port.ts', import.meta.url).href,
        // Its files hold who has which identity.
        'data:text/javascript,process.umask(0o077)',
      ].flatMap((module) => ['--import', module]),
      env: childEnvironment({ AZURITE_ACCOUNTS: [account, ...accountKeys].join(':') }),
      hasChannel: true,
      ready: 'message',
    })
    return new Azurite(server, (server.message as AddressInfo).port, tls === undefined ? 'http' : 'https')
  }

  /** As `kill -9` does. */
  kill(): Promise<void> {
    return this.#server.kill()
  }

  /** Stops answering without closing a connection, until `resume`. */
  pause(): void {
    process.kill(this.#server.pid, 'SIGSTOP')
  }

  resume(): void {
    process.kill(this.#server.pid, 'SIGCONT')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }
}

function createKey(): string {
  return randomBytes(64).toString('base64')
}
