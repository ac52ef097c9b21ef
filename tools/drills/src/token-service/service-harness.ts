import { setTimeout as sleep } from 'node:timers/promises'
import { Backend } from '@acs-kit/local-stack/backend'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { Azurite } from '@acs-kit/test-support/azurite'
import type { ServerProcess } from '@acs-kit/test-support/server-process'
import { TableClient } from '@azure/data-tables'
import { findSecrets } from '../secrets/find-secrets.ts'
import { ServiceClient } from './service-client.ts'

interface JournalRow {
  readonly kind: string
  readonly userKey: string
}

/** Instances of the token service with their backend: what they store, and what they print. */
export class ServiceHarness implements AsyncDisposable {
  readonly backend: Backend<EmulatorProcess>
  readonly #instances: { readonly client: ServiceClient; readonly server: ServerProcess }[] = []
  readonly #signInTokens = new Map<string, Promise<string>>()

  private constructor(backend: Backend<EmulatorProcess>) {
    this.backend = backend
  }

  static async start(): Promise<ServiceHarness> {
    const settings = { TOKENS_PER_MINUTE: '100000', BAD_REQUESTS_PER_MINUTE: '100000' }
    return new ServiceHarness(await Backend.start({ emulator: 'process', settings }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client } of this.#instances) client.http[Symbol.dispose]()
    await this.backend[Symbol.asyncDispose]()
  }

  get emulator(): EmulatorProcess {
    return this.backend.emulator
  }

  async startInstance(settings: NodeJS.ProcessEnv = {}) {
    const { url, server } = await this.backend.startService(settings)
    const client = new ServiceClient(url, (user) => this.#signIn(user))
    const instance = { client, server }
    this.#instances.push(instance)
    return instance
  }

  /** Returns a sign-in token, the same one for each call with a user. */
  #signIn(user: string): Promise<string> {
    let token = this.#signInTokens.get(user)
    const roles = user === 'admin' ? ['admin'] : []
    if (!token) this.#signInTokens.set(user, (token = this.backend.issuer.sign({ sub: user, roles })))
    return token
  }

  /** Returns the stored communication user id of each user. */
  async mappings(): Promise<Map<string, string>> {
    const rows = this.#rows<{ communicationUserId: string; subject: string }>("PartitionKey lt 'g'")
    return new Map((await rows).map(({ subject, communicationUserId }) => [subject, communicationUserId]))
  }

  journal(): Promise<JournalRow[]> {
    return this.#rows<JournalRow>("PartitionKey eq 'journal'")
  }

  /** Waits until the reaper has finished all journal entries that it can, and returns the lost ones. Throws on a timeout. */
  async waitForReaper(timeoutMs: number): Promise<JournalRow[]> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const journal = await this.journal()
      const open = journal.filter(({ kind }) => kind !== 'lost')
      if (open.length === 0) return journal
      if (Date.now() > deadline) throw new Error(`unfinished journal entries: ${JSON.stringify(open)}`)
      await sleep(500)
    }
  }

  /** Throws if the output of a service or an error response contains a key or a token. */
  checkSecrets(moreKeys: Readonly<Record<string, string>> = {}): void {
    const ownKeys = { 'the access key': this.emulator.accessKey!, 'the key of the store': Azurite.accountKey }
    const texts = this.#instances.flatMap(({ server, client }) => [server.stdout, server.stderr, ...client.errorBodies])
    const shown = findSecrets(texts.join('\n'), { ...ownKeys, ...moreKeys })
    if (shown.length > 0) throw new Error(`secrets in logs or error responses: ${shown.join(', ')}`)
  }

  #rows<Row extends object>(filter: string): Promise<Row[]> {
    const { connectionString } = this.backend.azurite
    const table = TableClient.fromConnectionString(connectionString, 'identities', { allowInsecureConnection: true })
    return Array.fromAsync(table.listEntities<Row>({ queryOptions: { filter } }))
  }
}
