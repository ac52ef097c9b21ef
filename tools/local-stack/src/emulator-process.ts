import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { HttpClient } from '@acs-kit/test-support/http-client'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { ServerProcess } from '@acs-kit/test-support/server-process'

export const emulatorScript = fileURLToPath(import.meta.resolve('@acs-kit/communication-emulator/bin'))

export interface EmulatorProcessOptions {
  readonly keyFolder: string
  readonly dataFolder?: string
  /** Primary access key in place of the well-known one. */
  readonly accessKey?: string
}

/** Command line and environment of an emulator on a free port. */
export function emulatorCommand({ keyFolder, dataFolder, accessKey }: EmulatorProcessOptions) {
  return {
    script: emulatorScript,
    args: ['start', '--port', '0', '--keys', keyFolder, ...(dataFolder === undefined ? [] : ['--data', dataFolder])],
    env: childEnvironment({ COMMUNICATION_EMULATOR_ACCESS_KEY: accessKey }),
  }
}

const readyLine =
  /^communication-emulator ready at https:\/\/localhost:(\d+)\/ \((?:connection string: .*;accesskey=(\S+))?/m
const authorityLine = /^certificate authority to trust: (.+)$/m

/** A running emulator as any other program sees it: by what it printed. */
export class EmulatorProcess implements AsyncDisposable {
  readonly server: ServerProcess
  readonly port: number
  readonly caPath: string
  readonly client: HttpClient
  /** Undefined when the emulator does not show it. */
  readonly accessKey: string | undefined

  private constructor(server: ServerProcess, givenKey: string | undefined) {
    const [, port, shownKey] = readyLine.exec(server.stdout)!
    this.server = server
    this.port = Number(port)
    this.caPath = authorityLine.exec(server.stdout)![1]!
    this.accessKey = shownKey?.replace(/\)$/, '') ?? givenKey
    this.client = new HttpClient(this.port, this.ca)
  }

  static async start(options: EmulatorProcessOptions): Promise<EmulatorProcess> {
    const server = await ServerProcess.start({ ...emulatorCommand(options), ready: authorityLine })
    return new EmulatorProcess(server, options.accessKey)
  }

  get endpoint(): string {
    return `https://localhost:${this.port}/`
  }

  get host(): string {
    return `localhost:${this.port}`
  }

  get ca(): string {
    return readFileSync(this.caPath, 'utf8')
  }

  connectionString(accessKey = this.accessKey): string {
    return `endpoint=${this.endpoint};accesskey=${accessKey}`
  }

  /** Replaces a key over the emulator's administration, which asks for none. */
  async regenerateKey(slot: 'primary' | 'secondary'): Promise<string> {
    const path = '/_emulator/resources/default/regenerateKey'
    const { status, text } = await this.client.post(path, { keyType: slot })
    if (status !== 200) throw new Error(`regenerateKey was answered ${status}: ${text}`)
    return (JSON.parse(text) as { key: string }).key
  }

  /** Kilobytes of memory that the system counts as the emulator's. */
  async residentKilobytes(): Promise<number> {
    await sleep(1000)
    const status = readFileSync(`/proc/${this.server.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1])
  }

  async kill(): Promise<void> {
    await this.server.kill()
    this.client[Symbol.dispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]()
    await this.server[Symbol.asyncDispose]()
  }
}
