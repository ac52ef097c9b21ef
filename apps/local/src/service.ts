import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface ServiceOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Hears of each piece of its log. */
  readonly onLog?: (text: string) => void
}

const script = fileURLToPath(new URL('../../token-service/src/server.ts', import.meta.url))
const endWithThis = import.meta.resolve('@acs-kit/test-support/end-with-starter')

/** The token service, as a process: from its sources, so that it can be started anew when they change. */
export class Service implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly url: string

  private constructor(child: ChildProcess, exited: Promise<unknown>, url: string) {
    this.#child = child
    this.#exited = exited
    this.url = url
  }

  /** Rejects with what it said when it does not start. */
  static async start({ env, onLog }: ServiceOptions): Promise<Service> {
    const child = spawn(process.execPath, ['--import', endWithThis, script], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const exited = once(child, 'close')
    let said = ''
    const url = await new Promise<string>((resolve, reject) => {
      const hear = (text: string) => {
        onLog?.(text)
        said = `${said}${text}`.slice(-10_000)
        const address = /"address":"([^"]+)"/.exec(said)?.[1]
        if (address !== undefined) resolve(address)
      }
      for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', hear)
      void exited.then(() => reject(new Error(`the token service did not start: ${said}`)))
    })
    return new Service(child, exited, url)
  }

  /** Milliseconds by which its clock is ahead of the machine's. */
  setClockOffset(clockOffset: number): void {
    if (this.#child.connected) this.#child.send({ clockOffset })
  }

  /** Resolves when it has ended, whatever the reason. */
  async exit(): Promise<void> {
    await this.#exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#exited
  }
}
