import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { childEnvironment } from './child-environment.ts'

export interface ServerCommand {
  /** JavaScript or TypeScript file, run by this process's version of Node. */
  readonly script: string
  readonly args?: readonly string[]
  /** Default: only what every program needs. */
  readonly env?: NodeJS.ProcessEnv
  /** URLs of modules that are loaded before the script. */
  readonly preloads?: readonly string[]
  /** Receives the output. Once the server is ready, this class then keeps only the last `keptLength` characters. */
  readonly onOutput?: (text: string) => void
  /** Receives standard output instead of a pipe, whose reader would take time of this process. */
  readonly outputFile?: string
  /** Starts a process group, which Ctrl+C in a terminal does not reach. Not on Windows, where this would open a window. */
  readonly isDetached?: boolean
  /** Shows that the server is ready: a pattern in standard output, or the first message over an IPC channel. */
  readonly ready: RegExp | 'message'
}

type LaunchCommand = Omit<ServerCommand, 'ready'> & Partial<ServerCommand>

const stopTimeoutMs = 10_000
const startTimeoutMs = 60_000
const keptLength = 4000
const running = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A server in a process of its own, which ends with this process at the latest. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  stdout = ''
  stderr = ''
  /** First message from the channel. */
  message: unknown
  #isReady = false

  private constructor(command: LaunchCommand) {
    const {
      script,
      args = [],
      env = childEnvironment(),
      preloads = [],
      onOutput,
      outputFile,
      isDetached = false,
      ready,
    } = command
    const execArgs = preloads.flatMap((module) => ['--import', module])
    const output = outputFile === undefined ? 'pipe' : openSync(outputFile, 'w')
    this.#child = spawn(process.execPath, [...execArgs, script, ...args], {
      stdio: ['ignore', output, 'pipe', ...(ready === 'message' ? (['ipc'] as const) : [])],
      env,
      detached: isDetached && process.platform !== 'win32',
    })
    if (typeof output === 'number') closeSync(output)
    running.add(this.#child)
    this.#child.once('message', (message) => (this.message = message))
    this.#closed = once(this.#child, 'close').finally(() => running.delete(this.#child))
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name]?.setEncoding('utf8').on('data', (text: string) => {
        onOutput?.(text)
        this[name] += text
        if (onOutput && this.#isReady) this[name] = this[name].slice(-keptLength)
      })
    }
  }

  /** Returns before the server is ready, for a process that is expected to fail. */
  static launch(command: LaunchCommand): ServerProcess {
    return new ServerProcess(command)
  }

  /** Resolves once the server is ready. Rejects with its output if it exits before. */
  static async start(command: ServerCommand): Promise<ServerProcess> {
    const server = new ServerProcess(command)
    const { ready, outputFile } = command
    const isReady = () => (ready === 'message' ? server.message !== undefined : ready.test(server.stdout))
    const deadline = AbortSignal.timeout(startTimeoutMs)
    while (!isReady()) {
      if (outputFile !== undefined) server.stdout = readFileSync(outputFile, 'utf8')
      if (!server.isRunning || deadline.aborted) {
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

  /** Signal that ended the process. */
  get signal(): NodeJS.Signals | null {
    return this.#child.signalCode
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Kilobytes of memory that the system counts as the process's, a second later. */
  async residentKilobytes(): Promise<number> {
    await sleep(1000)
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1])
  }

  /** Microseconds of processor time so far: of the main thread, which runs JavaScript, and of all threads. Needs Linux. */
  cpuTime(): { readonly mainThreadUs: number; readonly processUs: number } {
    const tasks = `/proc/${this.pid}/task`
    const readUs = (thread: string) =>
      Number(readFileSync(`${tasks}/${thread}/schedstat`, 'utf8').split(' ', 1)[0]) / 1000
    const threads = readdirSync(tasks).map(readUs)
    return { mainThreadUs: readUs(String(this.pid)), processUs: threads.reduce((sum, us) => sum + us, 0) }
  }

  /** Sends a message over the channel while it is open. */
  send(message: object): void {
    if (this.#child.connected) this.#child.send(message)
  }

  /** Closes this end of its output, so that it can no longer write. */
  stopReading(): void {
    this.#child.stdout!.destroy()
    this.#child.stderr!.destroy()
  }

  /** Leaves its output in the pipe, which becomes full. */
  pauseReading(): void {
    this.#child.stdout!.pause()
  }

  /** Waits until the process exits by itself. Returns its exit code, or null after a signal. */
  async exit(): Promise<number | null> {
    await this.#closed
    return this.#child.exitCode
  }

  /** Kills the process as `kill -9` does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeoutMs)
    await this.#closed
    clearTimeout(timer)
  }
}
