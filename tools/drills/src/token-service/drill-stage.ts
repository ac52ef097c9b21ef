import { TableClient } from '@azure/data-tables'
import type { ServerProcess } from '@acs-kit/test-support/server-process'
import { Azurite } from '@acs-kit/test-support/azurite'
import { TokenServiceStack } from '@acs-kit/local-stack/token-service-stack'
import { findSecrets } from '../secrets/find-secrets.ts'
import { ServiceClient } from './service-client.ts'

export interface JournalRow {
  readonly kind: string
  readonly userKey: string
  readonly communicationUserId?: string
}

export interface Instance {
  readonly client: ServiceClient
  readonly server: ServerProcess
}

/** A token service with all that it leans on, as a drill sees them: instances, what is stored, and what was printed. */
export class DrillStage implements AsyncDisposable {
  readonly stack: TokenServiceStack
  readonly #parts: AsyncDisposableStack
  readonly #servers: ServerProcess[] = []
  readonly #clients: ServiceClient[] = []
  readonly #signIns = new Map<string, Promise<string>>()

  private constructor(stack: TokenServiceStack, parts: AsyncDisposableStack) {
    this.stack = stack
    this.#parts = parts
  }

  static async start(): Promise<DrillStage> {
    await using parts = new AsyncDisposableStack()
    const stack = parts.use(await TokenServiceStack.start())
    return new DrillStage(stack, parts.move())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync()
  }

  async startInstance(env: NodeJS.ProcessEnv = {}): Promise<Instance> {
    const { address, server } = await this.stack.startService({ BAD_REQUESTS_PER_MINUTE: '100000', ...env })
    const client = new ServiceClient(address, (user) => this.signIn(user))
    this.#servers.push(server)
    this.#clients.push(client)
    return { client, server }
  }

  /** A sign-in token, the same one each time. */
  signIn(user: string): Promise<string> {
    let token = this.#signIns.get(user)
    if (!token) this.#signIns.set(user, (token = this.stack.issuer.sign({ sub: user, roles: rolesOf(user) })))
    return token
  }

  /** Communication user ids by user, as the store has them. */
  async mappings(): Promise<Map<string, string>> {
    const mappings = new Map<string, string>()
    const rows = this.#table().listEntities<{ communicationUserId: string; subject: string }>({
      queryOptions: { filter: "PartitionKey lt 'g'" },
    })
    for await (const { subject, communicationUserId } of rows) mappings.set(subject, communicationUserId)
    return mappings
  }

  async journal(): Promise<JournalRow[]> {
    const entries: JournalRow[] = []
    const rows = this.#table().listEntities<JournalRow>({ queryOptions: { filter: "PartitionKey eq 'journal'" } })
    for await (const row of rows) entries.push(row)
    return entries
  }

  /** Throws when a key or any token shows in what a service printed, or in an answer that is a refusal. */
  checkSecrets(moreKeys: Readonly<Record<string, string>> = {}): void {
    const keys = {
      'the access key': this.stack.emulator.accessKey!,
      'the key of the store': Azurite.accountKey,
      ...moreKeys,
    }
    const texts = [
      ...this.#servers.flatMap(({ stdout, stderr }) => [stdout, stderr]),
      ...this.#clients.flatMap(({ refusals }) => refusals),
    ]
    const shown = findSecrets(texts.join('\n'), keys)
    if (shown.length > 0) throw new Error(`shown where it should not be: ${shown.join(', ')}`)
  }

  #table(): TableClient {
    const { connectionString } = this.stack.azurite
    return TableClient.fromConnectionString(connectionString, 'identities', { allowInsecureConnection: true })
  }
}

function rolesOf(user: string): string[] {
  return user === 'admin' ? ['admin'] : []
}
