import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { HttpClient } from '@acs-kit/test-support/http-client'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { ServerProcess } from '@acs-kit/test-support/server-process'

export const emulatorScript = fileURLToPath(import.meta.resolve('@acs-kit/communication-emulator/bin'))

export interface EmulatorProcessOptions {
  readonly keyFolder: string
  readonly dataFolder?: string
  /** Primary access key. Default: the well-known one. */
  readonly accessKey?: string
  /** URLs of modules that are loaded before the emulator. */
  readonly preloads?: readonly string[]
}

/** Returns the command line and environment of an emulator on a free port. */
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

/** An emulator in a process of its own, known from its output, as other programs know it. */
export class EmulatorProcess implements AsyncDisposable {
  readonly server: ServerProcess
  readonly port: number
  readonly caPath: string
  readonly client: HttpClient
  /** Undefined if the emulator does not print it. */
  readonly accessKey: string | undefined

  private constructor(server: ServerProcess, givenKey: string | undefined) {
    const [, port, printedKey] = readyLine.exec(server.stdout)!
    this.server = server
    this.port = Number(port)
    this.caPath = authorityLine.exec(server.stdout)![1]!
    this.accessKey = printedKey?.replace(/\)$/, '') ?? givenKey
    this.client = new HttpClient(this.port, this.ca)
  }

  static async start(options: EmulatorProcessOptions): Promise<EmulatorProcess> {
    const server = await ServerProcess.start({
      ...emulatorCommand(options),
      ...(options.preloads && { preloads: options.preloads }),
      ready: authorityLine,
    })
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

  get connectionString(): string {
    return this.connectionStringWith(this.accessKey)
  }

  connectionStringWith(accessKey: string | undefined): string {
    return `endpoint=${this.endpoint};accesskey=${accessKey}`
  }

  /** Calls the administration API. Throws unless the call succeeds. */
  async administer<Result>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<Result> {
    const { status, text } = await this.client.send({
      method,
      path: `/_emulator/${path}`,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    if (status >= 300) throw new Error(`the emulator rejected ${method} ${path} with ${status}: ${text}`)
    return (text === '' ? undefined : JSON.parse(text)) as Result
  }

  /** Replaces an access key and returns the new one. */
  async regenerateKey(slot: 'primary' | 'secondary'): Promise<string> {
    const path = 'resources/default/regenerateKey'
    return (await this.administer<{ key: string }>('POST', path, { keyType: slot })).key
  }

  /** Ids of all identities, oldest first. */
  async identityIds(): Promise<string[]> {
    const ids: string[] = []
    for (;;) {
      const after = ids.length > 0 ? `?after=${encodeURIComponent(ids.at(-1)!)}` : ''
      const page = await this.administer<{ communicationUserId: string }[]>('GET', `identities${after}`)
      if (page.length === 0) return ids
      ids.push(...page.map(({ communicationUserId }) => communicationUserId))
    }
  }

  /** `valid`, `revoked`, `deleted` or another state of an access token. */
  async tokenState(token: string): Promise<string> {
    return (await this.administer<{ state: string }>('POST', 'introspect', { token })).state
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
