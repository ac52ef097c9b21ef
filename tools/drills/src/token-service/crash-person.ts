import type { Random } from '@acs-kit/test-support/random'
import type { DrillStage } from './drill-stage.ts'
import type { ServiceClient } from './service-client.ts'

const maxTokens = 5

/** A user of a service that is killed now and then: what they were told, and so what has to be true. */
export class CrashPerson {
  readonly name: string
  /** Undefined before the first login, and after an acknowledged deletion. */
  #identity: string | undefined
  /** Gone for good. */
  readonly #deleted = new Set<string>()
  /** Tokens from before an acknowledged revocation or deletion. */
  readonly #ended: string[] = []
  #tokens: string[] = []
  /** Whether a deletion was sent whose answer never came: the reaper may finish it at any time. */
  #mayBeDeleted = false
  deletions = 0
  revocations = 0

  constructor(name: string) {
    this.name = name
  }

  /** Does something. Rejects with a TypeError, which is fetch's, when the service dies meanwhile. */
  async act(client: ServiceClient, random: Random, { mayDelete }: { mayDelete: boolean }): Promise<void> {
    const chance = random.next()
    if (this.#identity === undefined || chance < 0.4) return this.logIn(client, { refresh: random.next() < 0.5 })
    if (chance < 0.7 || !mayDelete) return this.#revoke(client)
    return this.#delete(client)
  }

  /** Throws when the identity is not the one that it has to be. */
  async logIn(client: ServiceClient, { refresh = false } = {}): Promise<void> {
    const answer = await client.call('POST /v1/token', this.name, { refresh })
    if (answer.status !== 200) throw new Error(`${this.name} was locked out: ${answer.status} ${answer.text}`)
    const { communicationUserId, token } = JSON.parse(answer.text) as { communicationUserId: string; token: string }
    if (this.#deleted.has(communicationUserId)) throw new Error(`${this.name} got a deleted identity again`)
    const isOther = this.#identity !== undefined && this.#identity !== communicationUserId
    if (isOther && !this.#mayBeDeleted) throw new Error(`${this.name} lost the identity ${this.#identity}`)
    if (isOther) {
      this.#end(this.#tokens)
      this.#mayBeDeleted = false
    }
    this.#identity = communicationUserId
    this.#tokens = [...this.#tokens.slice(1 - maxTokens), token]
  }

  /** Throws when what was ended is not, or the identity that is the user's is not. To be called once all has settled. */
  async audit(stage: DrillStage, identities: ReadonlySet<string>): Promise<void> {
    for (const token of this.#ended) {
      const state = await stage.stack.emulator.tokenState(token)
      if (state !== 'revoked' && state !== 'deleted') throw new Error(`an ended token of ${this.name} is ${state}`)
    }
    const back = [...this.#deleted].filter((id) => identities.has(id))
    if (back.length > 0) throw new Error(`deleted, but still there: ${back.join(', ')}`)
    if (this.#identity !== undefined && !this.#mayBeDeleted && !identities.has(this.#identity)) {
      throw new Error(`the identity of ${this.name} is gone`)
    }
  }

  async #revoke(client: ServiceClient): Promise<void> {
    const { status, text } = await client.call('POST /v1/token/revoke', this.name)
    if (status === 202) return
    if (status !== 204) throw new Error(`a revocation was answered ${status}: ${text}`)
    this.revocations++
    this.#end(this.#tokens)
    this.#tokens = []
  }

  async #delete(client: ServiceClient): Promise<void> {
    this.#mayBeDeleted = true
    const { status, text } = await client.call('DELETE /v1/identity', this.name)
    // What a killed instance began is still to be done.
    if (status === 202) return
    if (status !== 204) throw new Error(`a deletion was answered ${status}: ${text}`)
    this.deletions++
    this.#mayBeDeleted = false
    this.#deleted.add(this.#identity!)
    this.#identity = undefined
    this.#end(this.#tokens)
    this.#tokens = []
  }

  #end(tokens: readonly string[]): void {
    this.#ended.push(...tokens)
  }
}
