import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { requirePulumi } from '@acs-kit/infra/pulumi-cli'
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import type { InstallMessage } from './install-cli.ts'

const script = fileURLToPath(import.meta.resolve('./install-cli.ts'))

/** Installation of the Pulumi CLI in the background. Disposal stops it. */
export class CliInstallation implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #early: string[] = []
  #log = (line: string): unknown => this.#early.push(line)
  #error = new Error('the installation of the Pulumi CLI ended early: run the same command again')

  constructor() {
    // A process group of its own can be stopped as a whole.
    this.#child = spawn(process.execPath, [script], {
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    // Not `close`, which does not follow a disconnection.
    this.#exited = once(this.#child, 'exit')
    this.#child.on('message', (message: InstallMessage) => {
      if ('error' in message) this.#error = Object.assign(new Error(message.error), { code: message.code })
      else this.#log(message.progress)
    })
  }

  /** Waits for the CLI. `log` receives the progress, including that of the past. Rejects if the installation fails. */
  async getCli(log: (line: string) => void, signal: AbortSignal): Promise<PulumiCommand> {
    for (const line of this.#early) log(line)
    this.#log = log
    signal.throwIfAborted()
    await Promise.race([this.#exited, once(signal, 'abort')])
    signal.throwIfAborted()
    if (this.#child.exitCode !== 0) throw this.#error
    return requirePulumi()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    await this.#exited
  }
}
