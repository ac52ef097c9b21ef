import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ServerCommand {
  /** A JavaScript or TypeScript file, run by the Node that runs this. */
  readonly script: string
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** For Node itself. */
  readonly execArgs?: readonly string[]
  /** What standard output holds as soon as the server serves. */
  readonly ready: RegExp
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

  private constructor({ script, args = [], env = process.env, execArgs = [] }: Omit<ServerCommand, 'ready'>) {
    this.#child = spawn(process.execPath, [...execArgs, script, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env })
    this.stdout = ''
    this.stderr = ''
    running.add(this.#child)
    this.#exited = once(this.#child, 'close').finally(() => running.delete(this.#child))
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
  }

  /** Returns at once: for those who want to see it die before it serves. */
  static launch(command: Omit<ServerCommand, 'ready'>): ServerProcess {
    return new ServerProcess(command)
  }

  /** Throws with what was printed when it ends before it is ready. */
  static async start(command: ServerCommand): Promise<ServerProcess> {
    const server = new ServerProcess(command)
    const giveUp = AbortSignal.timeout(startLimitMs)
    while (!command.ready.test(server.stdout)) {
      if (!server.isRunning || giveUp.aborted) {
        await server.kill()
        throw new Error(`${command.script} did not start: ${server.stdout}${server.stderr}`)
      }
      await sleep(5)
    }
    return server
  }

  get pid(): number {
    return this.#child.pid!
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
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
