import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import type { HttpResponse } from '@acs-kit/test-support/http-client'
import type { Random } from '@acs-kit/test-support/random'
import { signedHeaders } from '@acs-kit/test-support/signed-request'
import type { Ledger, LedgerIdentity, Slot } from './ledger.ts'

const version = '?api-version=2023-10-01'

/** A client that creates, issues, revokes and deletes, and records what was acknowledged, until its connection ends. */
export class Workload {
  readonly #emulator: EmulatorProcess
  readonly #ledger: Ledger
  readonly #random: Random
  /** Only this client changes them, so the order of their changes is known. */
  readonly #identities: LedgerIdentity[] = []

  constructor(emulator: EmulatorProcess, ledger: Ledger, random: Random) {
    this.#emulator = emulator
    this.#ledger = ledger
    this.#random = random
  }

  /** Resolves when the connection is lost. Throws if a request is rejected without reason. */
  async run(): Promise<void> {
    for (;;) {
      const isConnected = await this.#sendNext()
      if (!isConnected) return
    }
  }

  #sendNext(): Promise<boolean> {
    const live = this.#identities.filter(({ state }) => state === 'live')
    const identity = live[this.#random.below(live.length)]
    const chance = this.#random.next()
    if (!identity || chance < 0.3) return this.#create()
    if (chance < 0.75) return this.#issue(identity)
    if (chance < 0.88) return this.#revoke(identity)
    return this.#delete(identity)
  }

  async #create(): Promise<boolean> {
    const sent = await this.#send('POST', '/identities', 201)
    if (sent.outcome === 'acknowledged') {
      const { identity } = JSON.parse(sent.text) as { identity: { id: string } }
      this.#identities.push(this.#ledger.add(identity.id))
    }
    return sent.outcome !== 'lost'
  }

  async #issue(identity: LedgerIdentity): Promise<boolean> {
    const sent = await this.#send('POST', `/identities/${identity.id}/:issueAccessToken`, 200, { scopes: ['chat'] })
    const { slot, generation } = sent
    if (sent.outcome === 'acknowledged') {
      const { token } = JSON.parse(sent.text) as { token: string }
      identity.tokens.push({ text: token, slot, generation, state: 'valid' })
    }
    if (sent.outcome === 'lost') {
      // Within a second, the lost token has the same text as the previous one, which this key may now keep valid.
      const valid = identity.tokens.filter(({ state }) => state === 'valid')
      identity.tokens.push(...valid.map((token) => ({ ...token, slot, generation, state: 'unknown' as const })))
    }
    return sent.outcome !== 'lost'
  }

  async #revoke(identity: LedgerIdentity): Promise<boolean> {
    const tokens = identity.tokens.filter(({ state }) => state !== 'revoked')
    const { outcome } = await this.#send('POST', `/identities/${identity.id}/:revokeAccessTokens`, 204)
    for (const token of tokens) {
      if (outcome === 'acknowledged') token.state = 'revoked'
      if (outcome === 'lost') token.state = 'unknown'
    }
    return outcome !== 'lost'
  }

  async #delete(identity: LedgerIdentity): Promise<boolean> {
    const { outcome } = await this.#send('DELETE', `/identities/${identity.id}`, 204)
    if (outcome === 'acknowledged') identity.state = 'deleted'
    if (outcome === 'lost') identity.state = 'unknown'
    return outcome !== 'lost'
  }

  /** The outcome is `rejected` only if the key is regenerated during the request. */
  async #send(method: string, route: string, success: number, body?: unknown) {
    const { client, host } = this.#emulator
    const slot: Slot = this.#random.next() < 0.5 ? 'primary' : 'secondary'
    const key = this.#ledger.keys[slot]
    const { generation } = key
    const path = `${route}${version}`
    const text = body === undefined ? '' : JSON.stringify(body)
    const headers = {
      ...signedHeaders({ method, path, host, accessKey: key.value, body: text }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    }
    let response: HttpResponse
    try {
      response = await client.send({ method, path, headers, body: text })
    } catch {
      return { outcome: 'lost', text: '', slot, generation } as const
    }
    if (response.status === success) {
      return { outcome: 'acknowledged', text: response.text, slot, generation } as const
    }
    const isKeyReplaced = key.isUnknown || key.generation !== generation
    if (response.status === 401 && isKeyReplaced) return { outcome: 'rejected', text: '', slot, generation } as const
    throw new Error(`unexpected response to ${method} ${path}: ${response.status} ${response.text}`)
  }
}

/** Regenerates both keys by turns until the connection ends. */
export async function regenerateKeys(emulator: EmulatorProcess, ledger: Ledger, pause: () => Promise<void>) {
  for (let turn = 0; ; turn++) {
    await pause()
    const isConnected = await regenerateKey(emulator, ledger, turn % 2 === 0 ? 'primary' : 'secondary').then(
      () => true,
      () => false,
    )
    if (!isConnected) return
  }
}

export async function regenerateKey(emulator: EmulatorProcess, ledger: Ledger, slot: Slot): Promise<void> {
  const key = ledger.keys[slot]
  key.isUnknown = true
  key.value = await emulator.regenerateKey(slot)
  key.generation++
  key.isUnknown = false
}
