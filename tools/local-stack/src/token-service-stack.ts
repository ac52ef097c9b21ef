import { ServerProcess } from '@acs-kit/test-support/server-process'
import { SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import { Backend } from './backend.ts'
import type { EmulatorProcess } from './emulator-process.ts'

/** Adapter for benchmarks and drills until they use `Backend` themselves. */
export class TokenServiceStack implements AsyncDisposable {
  readonly backend: Backend<EmulatorProcess>
  readonly issuer: SignInIssuer
  readonly #parts: AsyncDisposableStack

  private constructor(parts: AsyncDisposableStack, backend: Backend<EmulatorProcess>, issuer: SignInIssuer) {
    this.#parts = parts
    this.backend = backend
    this.issuer = issuer
  }

  static async start(): Promise<TokenServiceStack> {
    await using parts = new AsyncDisposableStack()
    const issuer = parts.use(await SignInIssuer.start())
    const settings = { TOKENS_PER_MINUTE: '100000' }
    const backend = parts.use(await Backend.start({ emulator: 'process', issuer, settings }))
    return new TokenServiceStack(parts.move(), backend, issuer)
  }

  get emulator() {
    return this.backend.emulator
  }

  get azurite() {
    return this.backend.azurite
  }

  get env() {
    return this.backend.environment
  }

  get script() {
    return this.backend.script!
  }

  async startService(env: NodeJS.ProcessEnv = {}): Promise<{ address: string; server: ServerProcess }> {
    const { url, server } = await this.backend.startService(env)
    return { address: url, server }
  }

  async startServer(url: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const server = this.#parts.use(
      await ServerProcess.start({ script: new URL(url).pathname, args, env: { ...this.env, ...env }, ready: /\n/ }),
    )
    return /http:\S+/.exec(server.stdout)![0]
  }

  signInTokens(users: number): Promise<string[]> {
    return Promise.all(Array.from({ length: users }, (_, user) => this.issuer.sign({ sub: `user-${user}` })))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync()
  }
}
