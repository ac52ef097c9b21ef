export type Slot = 'primary' | 'secondary'

/** `unsure` is what was asked for without an answer: it may have happened or not. */
export interface LedgerToken {
  readonly text: string
  readonly slot: Slot
  /** How often the key had been regenerated when it signed the request. */
  readonly generation: number
  state: 'valid' | 'revoked' | 'unsure'
}

export interface LedgerIdentity {
  readonly id: string
  state: 'live' | 'deleted' | 'unsure'
  readonly tokens: LedgerToken[]
}

export interface LedgerKey {
  value: string
  generation: number
  /** From when its regeneration is asked for until it is answered. */
  isUnsure: boolean
}

export type ExpectedState = 'valid' | 'revoked' | 'deleted'

/** What an emulator has acknowledged, and so has to know after any crash. */
export class Ledger {
  readonly identities: LedgerIdentity[] = []
  readonly keys: Record<Slot, LedgerKey>

  constructor(keys: Record<Slot, string>) {
    this.keys = {
      primary: { value: keys.primary, generation: 0, isUnsure: false },
      secondary: { value: keys.secondary, generation: 0, isUnsure: false },
    }
  }

  add(id: string): LedgerIdentity {
    const identity: LedgerIdentity = { id, state: 'live', tokens: [] }
    this.identities.push(identity)
    return identity
  }

  /** The state that introspection has to tell of each token, by its text; undefined where nobody can know. */
  expectedStates({ state, tokens }: LedgerIdentity): Map<string, ExpectedState | undefined> {
    const states = new Map<string, ExpectedState | undefined>()
    for (const token of tokens) {
      const expected = state === 'live' ? this.#stateOf(token) : state === 'deleted' ? 'deleted' : undefined
      // The same text is issued twice within a second, perhaps under both keys: it lives as long as either.
      const isSettled = !states.has(token.text) || expected === 'valid' || states.get(token.text) === 'revoked'
      if (isSettled) states.set(token.text, expected)
    }
    return states
  }

  #stateOf(token: LedgerToken): ExpectedState | undefined {
    const key = this.keys[token.slot]
    if (token.state === 'revoked' || token.generation < key.generation) return 'revoked'
    return token.state === 'unsure' || key.isUnsure ? undefined : 'valid'
  }
}
