import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import type { Random } from '@acs-kit/test-support/random'
import type { TokenResponse } from '@acs-kit/token-contract'
import type { ServiceClient } from './service-client.ts'

const maxTokens = 5

/** A user of a service that is killed repeatedly. Knows what was acknowledged, and therefore has to be true. */
export class SimulatedUser {
  readonly name: string
  /** Undefined before the first login and after an acknowledged deletion. */
  #identity: string | undefined
  readonly #deletedIdentities = new Set<string>()
  /** Tokens from before an acknowledged revocation or deletion. */
  readonly #endedTokens: string[] = []
  #tokens: string[] = []
  /** Whether a deletion got no response: the reaper may finish it at any time. */
  #mayBeDeleted = false
  deletions = 0
  revocations = 0

  constructor(name: string) {
    this.name = name
  }

  /** Sends a random request. Rejects with a connection error if the service dies. */
  async act(client: ServiceClient, random: Random, { mayDelete }: { mayDelete: boolean }): Promise<void> {
    const chance = random.next()
    if (this.#identity === undefined || chance < 0.4) return this.logIn(client, { refresh: random.next() < 0.5 })
    if (chance < 0.7 || !mayDelete) return this.#revoke(client)
    return this.#delete(client)
  }

  /** Throws if the user gets a wrong identity. */
  async logIn(client: ServiceClient, { refresh = false } = {}): Promise<void> {
    const { status, text } = await client.call('POST /v1/token', this.name, { refresh })
    if (status !== 200) throw new Error(`${this.name} was rejected: ${status} ${text}`)
    const { communicationUserId, token } = JSON.parse(text) as TokenResponse
    if (this.#deletedIdentities.has(communicationUserId)) throw new Error(`${this.name} got a deleted identity`)
    const isReplaced = this.#identity !== undefined && this.#identity !== communicationUserId
    if (isReplaced && !this.#mayBeDeleted) throw new Error(`${this.name} lost the identity ${this.#identity}`)
    if (isReplaced) {
      this.#endTokens()
      this.#mayBeDeleted = false
    }
    this.#identity = communicationUserId
    this.#tokens = [...this.#tokens.slice(1 - maxTokens), token]
  }

  /** Throws if an acknowledged change is lost. Call it when the reaper has finished. */
  async audit(emulator: EmulatorProcess, identities: ReadonlySet<string>): Promise<void> {
    for (const token of this.#endedTokens) {
      const state = await emulator.tokenState(token)
      if (state !== 'revoked' && state !== 'deleted') throw new Error(`a revoked token of ${this.name} is ${state}`)
    }
    const existing = [...this.#deletedIdentities].filter((id) => identities.has(id))
    if (existing.length > 0) throw new Error(`identities were deleted, but exist: ${existing.join(', ')}`)
    if (this.#identity !== undefined && !this.#mayBeDeleted && !identities.has(this.#identity)) {
      throw new Error(`the identity of ${this.name} no longer exists`)
    }
  }

  async #revoke(client: ServiceClient): Promise<void> {
    const { status, text } = await client.call('POST /v1/token/revoke', this.name)
    if (status === 202) return
    if (status !== 204) throw new Error(`unexpected response to a revocation: ${status} ${text}`)
    this.revocations++
    this.#endTokens()
  }

  async #delete(client: ServiceClient): Promise<void> {
    this.#mayBeDeleted = true
    const { status, text } = await client.call('DELETE /v1/identity', this.name)
    // An operation that a killed instance began is still unfinished.
    if (status === 202) return
    if (status !== 204) throw new Error(`unexpected response to a deletion: ${status} ${text}`)
    this.deletions++
    this.#mayBeDeleted = false
    this.#deletedIdentities.add(this.#identity!)
    this.#identity = undefined
    this.#endTokens()
  }

  #endTokens(): void {
    this.#endedTokens.push(...this.#tokens)
    this.#tokens = []
  }
}
