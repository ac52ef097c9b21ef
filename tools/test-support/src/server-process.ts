import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { childEnvironment } from './child-environment.ts'

export interface ServerCommand {
  /** A JavaScript or TypeScript file, run by the Node that runs this. */
  readonly script: string
  readonly args?: readonly string[]
  /** Default: only what every program needs. */
  readonly env?: NodeJS.ProcessEnv
  /** For Node itself. */
  readonly execArgs?: readonly string[]
  /** Hears what it prints. From when it serves, that is not kept then. */
  readonly onOutput?: (text: string) => void
  /** Opens a channel for messages. */
  readonly hasChannel?: boolean
  /** Pattern in standard output, or the first message from the channel, that shows that the server is ready. */
  readonly ready: RegExp | 'message'
}

const stopGraceMs = 10_000
const startLimitMs = 60_000
const running = new Set<ChildProcess>()

// Whatever ends this process, its servers end too.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A server as a process of its own: what it printed, and its end. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  stdout: string
  stderr: string
  /** First message from the channel. */
  message: unknown

  #isReady = false

  private constructor({
    script,
    args = [],
    env = childEnvironment(),
    execArgs = [],
    onOutput,
    hasChannel = false,
  }: Omit<ServerCommand, 'ready'>) {
    const channel = hasChannel ? (['ipc'] as const) : []
    const stdio = ['ignore', 'pipe', 'pipe', ...channel] as const
    this.#child = spawn(process.execPath, [...execArgs, script, ...args], { stdio: [...stdio], env })
    this.stdout = ''
    this.stderr = ''
    running.add(this.#child)
    this.#child.once('message', (message) => (this.message = message))
    this.#exited = once(this.#child, 'close').finally(() => running.delete(this.#child))
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name]!.setEncoding('utf8').on('data', (text: string) => {
        onOutput?.(text)
        if (!onOutput || !this.#isReady) this[name] += text
      })
    }
  }

  /** Returns at once: for those who want to see it die before it serves. */
  static launch(command: Omit<ServerCommand, 'ready'>): ServerProcess {
    return new ServerProcess(command)
  }

  /** Throws with what was printed when it ends before it is ready. */
  static async start(command: ServerCommand): Promise<ServerProcess> {
    const server = new ServerProcess(command)
    const { ready } = command
    const isReady = () => (ready === 'message' ? server.message !== undefined : ready.test(server.stdout))
    const giveUp = AbortSignal.timeout(startLimitMs)
    while (!isReady()) {
      if (!server.isRunning || giveUp.aborted) {
        await server.kill()
        throw new Error(`${command.script} did not start: ${server.stdout}${server.stderr}`)
      }
      await sleep(5)
    }
    server.#isReady = true
    return server
  }

  get pid(): number {
    return this.#child.pid!
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Over its channel, while it is there. */
  send(message: object): void {
    if (this.#child.connected) this.#child.send(message)
  }

  /** As a reader does that goes away: what it prints from now on can't be written. */
  stopReading(): void {
    this.#child.stdout!.destroy()
    this.#child.stderr!.destroy()
  }

  /** Waits for its own end and returns its exit code. */
  async exit(): Promise<number | null> {
    await this.#exited
    return this.#child.exitCode
  }

  /** As `kill -9` does: it gets no chance to finish anything. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopGraceMs)
    await this.#exited
    clearTimeout(timer)
  }
}
