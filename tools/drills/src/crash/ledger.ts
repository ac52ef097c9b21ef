export const slots = ['primary', 'secondary'] as const
export type Slot = (typeof slots)[number]

/** The state is `unknown` after a request without a response, which may have been executed or not. */
interface LedgerToken {
  readonly text: string
  readonly slot: Slot
  /** How often the key had been regenerated when it signed the request. */
  readonly generation: number
  state: 'valid' | 'revoked' | 'unknown'
}

export interface LedgerIdentity {
  readonly id: string
  state: 'live' | 'deleted' | 'unknown'
  readonly tokens: LedgerToken[]
}

/** An Entra ID user with an assignment, or with a removed one, which revoked their tokens. */
export interface LedgerAssignment {
  readonly objectId: string
  state: 'assigned' | 'removed' | 'unknown'
  readonly tokens: { readonly text: string; state: 'valid' | 'revoked' | 'unknown' }[]
}

interface LedgerKey {
  value: string
  generation: number
  /** Whether a regeneration was requested and not yet acknowledged. */
  isUnknown: boolean
}

type ExpectedState = 'valid' | 'revoked' | 'deleted'

/** Everything that an emulator has acknowledged, and therefore keeps through any crash. */
export class Ledger {
  readonly identities: LedgerIdentity[] = []
  readonly assignments: LedgerAssignment[] = []
  readonly keys: Record<Slot, LedgerKey>

  constructor(keys: Record<Slot, string>) {
    this.keys = {
      primary: { value: keys.primary, generation: 0, isUnknown: false },
      secondary: { value: keys.secondary, generation: 0, isUnknown: false },
    }
  }

  add(id: string): LedgerIdentity {
    const identity: LedgerIdentity = { id, state: 'live', tokens: [] }
    this.identities.push(identity)
    return identity
  }

  /** Returns the state that the emulator has to report for each token, or undefined if either state is possible. */
  expectedStates({ state, tokens }: LedgerIdentity): Map<string, ExpectedState | undefined> {
    const states = new Map<string, ExpectedState | undefined>()
    for (const token of tokens) {
      const expected = state === 'live' ? this.#expectedState(token) : state === 'deleted' ? 'deleted' : undefined
      // Within a second the same text may be issued twice, also with both keys: it is valid as long as one of them is.
      const isSettled = !states.has(token.text) || expected === 'valid' || states.get(token.text) === 'revoked'
      if (isSettled) states.set(token.text, expected)
    }
    return states
  }

  #expectedState(token: LedgerToken): ExpectedState | undefined {
    const key = this.keys[token.slot]
    if (token.state === 'revoked' || token.generation < key.generation) return 'revoked'
    return token.state === 'unknown' || key.isUnknown ? undefined : 'valid'
  }
}
