import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import type { HttpResponse } from '@acs-kit/test-support/http-client'
import type { Random } from '@acs-kit/test-support/random'
import { signedHeaders } from '@acs-kit/test-support/signed-request'
import type { Ledger, LedgerIdentity, Slot } from './ledger.ts'

const version = '?api-version=2023-10-01'

/** One client that creates, issues, revokes and deletes, and writes down what was acknowledged, until it is cut off. */
export class Workload {
  readonly #emulator: EmulatorProcess
  readonly #ledger: Ledger
  readonly #random: Random
  /** No other client touches these, so that the order of what happens to each is known. */
  readonly #own: LedgerIdentity[] = []

  constructor(emulator: EmulatorProcess, ledger: Ledger, random: Random) {
    this.#emulator = emulator
    this.#ledger = ledger
    this.#random = random
  }

  /** Returns when the connection is lost. Throws when something is refused that should not be. */
  async run(): Promise<void> {
    for (;;) {
      const isConnected = await this.#act()
      if (!isConnected) return
    }
  }

  #act(): Promise<boolean> {
    const live = this.#own.filter(({ state }) => state === 'live')
    const identity = live[this.#random.below(live.length)]
    const dice = this.#random.next()
    if (!identity || dice < 0.3) return this.#create()
    if (dice < 0.75) return this.#issue(identity)
    if (dice < 0.88) return this.#revoke(identity)
    return this.#delete(identity)
  }

  async #create(): Promise<boolean> {
    const sent = await this.#send('POST', '/identities', 201)
    if (sent.outcome === 'acknowledged') {
      const { identity } = JSON.parse(sent.text) as { identity: { id: string } }
      this.#own.push(this.#ledger.add(identity.id))
    }
    return sent.outcome !== 'lost'
  }

  async #issue(identity: LedgerIdentity): Promise<boolean> {
    const sent = await this.#send('POST', `/identities/${identity.id}/:issueAccessToken`, 200, { scopes: ['chat'] })
    if (sent.outcome === 'acknowledged') {
      const { token } = JSON.parse(sent.text) as { token: string }
      identity.tokens.push({ text: token, slot: sent.slot, generation: sent.generation, state: 'valid' })
    }
    if (sent.outcome === 'lost') {
      // Within a second it makes the same text as the issue before it: that token may now live by this key as well.
      const again = identity.tokens.filter(({ state }) => state === 'valid')
      identity.tokens.push(
        ...again.map((token) => ({ ...token, slot: sent.slot, generation: sent.generation, state: 'unsure' as const })),
      )
    }
    return sent.outcome !== 'lost'
  }

  async #revoke(identity: LedgerIdentity): Promise<boolean> {
    const tokens = identity.tokens.filter(({ state }) => state !== 'revoked')
    const { outcome } = await this.#send('POST', `/identities/${identity.id}/:revokeAccessTokens`, 204)
    for (const token of tokens) {
      if (outcome === 'acknowledged') token.state = 'revoked'
      if (outcome === 'lost') token.state = 'unsure'
    }
    return outcome !== 'lost'
  }

  async #delete(identity: LedgerIdentity): Promise<boolean> {
    const { outcome } = await this.#send('DELETE', `/identities/${identity.id}`, 204)
    if (outcome === 'acknowledged') identity.state = 'deleted'
    if (outcome === 'lost') identity.state = 'unsure'
    return outcome !== 'lost'
  }

  /** `refused` is only what a key may see that is being regenerated meanwhile. */
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
    const isKeyReplaced = key.isUnsure || key.generation !== generation
    if (response.status === 401 && isKeyReplaced) return { outcome: 'refused', text: '', slot, generation } as const
    throw new Error(`${method} ${path} was answered ${response.status}: ${response.text}`)
  }
}

/** Regenerates the keys by turns, now and then, until it is cut off. */
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
  key.isUnsure = true
  key.value = await emulator.regenerateKey(slot)
  key.generation++
  key.isUnsure = false
}
