import { join } from 'node:path'
import { Azurite } from '@acs-kit/test-support/azurite'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { audience, SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import { EmulatorProcess } from './emulator-process.ts'
import { runScript } from '@acs-kit/test-support/run-script'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'

/** The token service as it is shipped, and all that it leans on: each a process of its own, but the issuer of the sign-in. */
export class TokenServiceStack implements AsyncDisposable {
  readonly emulator: EmulatorProcess
  readonly azurite: Azurite
  readonly issuer: SignInIssuer
  readonly script: string
  /** The settings of a service that lets the load through. */
  readonly env: NodeJS.ProcessEnv
  readonly #parts: AsyncDisposableStack

  private constructor(
    parts: AsyncDisposableStack,
    emulator: EmulatorProcess,
    azurite: Azurite,
    issuer: SignInIssuer,
    script: string,
  ) {
    this.#parts = parts
    this.emulator = emulator
    this.azurite = azurite
    this.issuer = issuer
    this.script = script
    this.env = {
      HOST: '127.0.0.1',
      PORT: '0',
      SIGN_IN_ISSUERS: JSON.stringify([{ issuer: issuer.issuer, audience }]),
      COMMUNICATION_SERVICES_CONNECTION_STRING: emulator.connectionString(),
      IDENTITY_STORE_CONNECTION_STRING: azurite.connectionString,
      TOKENS_PER_MINUTE: '100000',
      NODE_EXTRA_CA_CERTS: emulator.caPath,
    }
  }

  static async start(): Promise<TokenServiceStack> {
    await using parts = new AsyncDisposableStack()
    const folder = parts.use(new TemporaryFolder())
    const artifact = join(folder.path, 'artifact')
    await runScript(import.meta.resolve('@acs-kit/token-service/build'), [artifact])
    const emulator = parts.use(await EmulatorProcess.start({ keyFolder: join(folder.path, 'keys') }))
    const azurite = parts.use(await Azurite.start())
    const issuer = parts.use(await SignInIssuer.start())
    return new TokenServiceStack(parts.move(), emulator, azurite, issuer, join(artifact, 'server.js'))
  }

  /** Starts an instance, and returns its address and its process. */
  async startService(env: NodeJS.ProcessEnv = {}): Promise<{ address: string; server: ServerProcess }> {
    const server = this.#parts.use(
      await ServerProcess.start({ script: this.script, env: { ...this.env, ...env }, ready: /the service listens/ }),
    )
    return { address: /"address":"([^"]+)"/.exec(server.stdout)![1]!, server }
  }

  /** Starts another server, one that prints its address. */
  async startServer(url: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const server = this.#parts.use(
      await ServerProcess.start({ script: new URL(url).pathname, args, env: { ...this.env, ...env }, ready: /\n/ }),
    )
    return /http:\S+/.exec(server.stdout)![0]
  }

  /** Sign-in tokens of so many users. */
  signInTokens(users: number): Promise<string[]> {
    return Promise.all(Array.from({ length: users }, (_, user) => this.issuer.sign({ sub: `user-${user}` })))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync()
  }
}
