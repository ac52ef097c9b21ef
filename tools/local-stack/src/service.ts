import { fileURLToPath } from 'node:url'
import { ServerProcess } from '@acs-kit/test-support/server-process'

export interface ServiceOptions {
  /** Default: its sources, so that it can be started anew when they change. */
  readonly script?: string
  /** All that it sees of the environment. */
  readonly env: NodeJS.ProcessEnv
  /** Hears of each piece of its log. */
  readonly onLog?: (text: string) => void
}

const source = fileURLToPath(import.meta.resolve('@acs-kit/token-service/main'))
const preloaded = [
  import.meta.resolve('@acs-kit/test-support/end-with-starter'),
  import.meta.resolve('@acs-kit/test-support/reject-foreign-hosts'),
]

/** The token service, as a process. */
export class Service implements AsyncDisposable {
  readonly #server: ServerProcess
  readonly url: string

  private constructor(server: ServerProcess) {
    this.#server = server
    this.url = (server.message as { address: string }).address
  }

  /** Rejects with what it said when it does not start. */
  static async start({ script = source, env, onLog = () => {} }: ServiceOptions): Promise<Service> {
    const server = await ServerProcess.start({
      script,
      execArgs: preloaded.flatMap((module) => ['--import', module]),
      env,
      hasChannel: true,
      onOutput: onLog,
      ready: 'message',
    })
    return new Service(server)
  }

  /** Milliseconds by which its clock is ahead of the machine's. */
  setClockOffset(clockOffset: number): void {
    this.#server.send({ clockOffset })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }
}
