import { fileURLToPath } from 'node:url'
import type { Emulator } from '@acs-kit/communication-emulator'
import { ServerProcess } from '@acs-kit/test-support/server-process'

export interface TokenServiceProcessOptions {
  /** Script of the service. Default: its sources. */
  readonly script?: string
  /** The entire environment of the process. */
  readonly env: NodeJS.ProcessEnv
  /** Runs the service for development: it follows this clock, exits with this process, and rejects foreign host names. */
  readonly clock?: Emulator['clock']
  /** Receives the log. Default: `server.stdout` keeps all of it. */
  readonly onLog?: ((text: string) => void) | undefined
  /** Receives the log instead of this process. */
  readonly logFile?: string
}

const sources = fileURLToPath(import.meta.resolve('fastify-communication-tokens/main'))
const preloads = [
  import.meta.resolve('@acs-kit/test-support/exit-with-parent'),
  import.meta.resolve('@acs-kit/test-support/reject-foreign-hosts'),
]
const maxOutputLength = 500

/** A token service in a process of its own. */
export class TokenServiceProcess implements AsyncDisposable {
  readonly #options: TokenServiceProcessOptions
  readonly #stopFollowing: (() => void) | undefined
  #server: ServerProcess

  private constructor(options: TokenServiceProcessOptions, server: ServerProcess) {
    this.#options = options
    this.#server = server
    this.#stopFollowing = options.clock?.onMove((clockOffset) => this.#server.send({ clockOffset }))
  }

  /** Rejects with the output of a service that does not start. */
  static async start(options: TokenServiceProcessOptions): Promise<TokenServiceProcess> {
    return new TokenServiceProcess(options, await launch(options))
  }

  get server(): ServerProcess {
    return this.#server
  }

  get url(): string {
    const { message, stdout } = this.#server
    return (message as { address: string } | undefined)?.address ?? /"address":"([^"]+)"/.exec(stdout)![1]!
  }

  /** Replaces the process, so that it loads its sources again. A free port may change. */
  async restart(): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
    this.#server = await launch(this.#options)
  }

  /** Waits until the process exits, and returns why. */
  async exited(): Promise<string> {
    const { server } = this
    const code = await server.exit()
    const lastLine = `${server.stdout}${server.stderr}`.trim().split('\n').at(-1) ?? ''
    const output = lastLine && `, last output: ${lastLine.slice(0, maxOutputLength)}`
    return `token service exited with ${server.signal ?? `code ${code}`}${output}`
  }

  kill(): Promise<void> {
    return this.#server.kill()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopFollowing?.()
    return this.#server[Symbol.asyncDispose]()
  }
}

async function launch(options: TokenServiceProcessOptions): Promise<ServerProcess> {
  const { script = sources, env, clock, onLog, logFile } = options
  const command = { script, env, ...(onLog && { onOutput: onLog }), ...(logFile && { outputFile: logFile }) }
  if (!clock) return await ServerProcess.start({ ...command, ready: /"address":/ })
  // After Ctrl+C, programs still delete their identities.
  const server = await ServerProcess.start({ ...command, preloads, isDetached: true, ready: 'message' })
  server.send({ clockOffset: clock.offset })
  return server
}
