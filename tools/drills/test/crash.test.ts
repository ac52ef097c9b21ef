import { expect, it } from 'vitest'
import { runCrashDrill } from '../src/crash/crash-drill.ts'
import { Ledger } from '../src/crash/ledger.ts'
import { testSeed } from './test-seed.ts'

// The drill throws if something is lost.
it('keeps what the emulator acknowledged through kill -9', { timeout: 120_000 }, async () => {
  const { identities, tokens, exchanges } = await runCrashDrill({ kills: 3, seed: testSeed })

  expect(identities).toBeGreaterThan(0)
  expect(tokens).toBeGreaterThan(0)
  expect(exchanges).toBeGreaterThan(0)
})

it('expects a state only of tokens whose state is certain', () => {
  const ledger = new Ledger({ primary: 'a', secondary: 'b' })
  const identity = ledger.add('8:acs:x')
  const issue = (text: string, slot: 'primary' | 'secondary', state: 'valid' | 'revoked' | 'unknown' = 'valid') =>
    identity.tokens.push({ text, slot, generation: 0, state })
  issue('valid', 'primary')
  issue('revoked', 'primary', 'revoked')
  issue('unknown', 'primary', 'unknown')
  issue('other key', 'secondary')
  issue('both keys', 'primary')
  issue('both keys', 'secondary')
  issue('perhaps both keys', 'secondary')
  issue('perhaps both keys', 'primary', 'unknown')

  ledger.keys.secondary.generation = 1
  expect(Object.fromEntries(ledger.expectedStates(identity))).toEqual({
    valid: 'valid',
    revoked: 'revoked',
    unknown: undefined,
    'other key': 'revoked',
    'both keys': 'valid',
    'perhaps both keys': undefined,
  })

  ledger.keys.primary.isUnknown = true
  expect(ledger.expectedStates(identity).get('valid')).toBeUndefined()
  expect(ledger.expectedStates(identity).get('both keys')).toBeUndefined()
  expect(ledger.expectedStates(identity).get('revoked')).toBe('revoked')

  identity.state = 'deleted'
  expect(new Set(ledger.expectedStates(identity).values())).toEqual(new Set(['deleted']))
})
