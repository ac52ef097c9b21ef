import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import type { Random } from '@acs-kit/test-support/random'
import { signedHeaders } from '@acs-kit/test-support/signed-request'
import { createAssignedUser } from './assigned-user.ts'
import { slots, type Ledger, type LedgerIdentity, type Slot } from './ledger.ts'

const version = '?api-version=2023-10-01'

/** Sends a request with either key. Its outcome is `rejected` only if the key is regenerated meanwhile. */
type Send = (method: string, route: string, success: number, body?: object) => ReturnType<typeof sendSigned>

/**
 * Creates and deletes identities, issues and revokes tokens, assigns a user, and records what was acknowledged. Resolves when the
 * connection is lost. Throws if a request is rejected without reason.
 */
export async function runWorkload(
  emulator: EmulatorProcess,
  ledger: Ledger,
  random: Random,
  onResponse: () => void,
): Promise<void> {
  /** Only this client changes them, so the order of their changes is known. */
  const identities: LedgerIdentity[] = []
  const changeAssignment = await createAssignedUser(emulator, ledger.assignments, random).catch((error: unknown) => {
    // Other errors mean that the connection is lost.
    if (/rejected/.test(String(error))) throw error
  })
  if (!changeAssignment) return
  const send: Send = (...request) => sendSigned(emulator, ledger, slots[random.below(2)]!, ...request)
  const sendNext = () => {
    const live = identities.filter(({ state }) => state === 'live')
    const identity = live[random.below(live.length)]
    if (random.next() < 0.2) return changeAssignment()
    const chance = random.next()
    if (!identity || chance < 0.3) return create(send, ledger, identities)
    if (chance < 0.75) return issue(send, identity)
    if (chance < 0.88) return revoke(send, identity)
    return remove(send, identity)
  }
  let outcome: string
  do {
    outcome = await sendNext()
    onResponse()
  } while (outcome !== 'lost')
}

async function create(send: Send, ledger: Ledger, identities: LedgerIdentity[]) {
  const { outcome, text } = await send('POST', '/identities', 201)
  if (outcome === 'acknowledged') {
    const { identity } = JSON.parse(text) as { identity: { id: string } }
    identities.push(ledger.add(identity.id))
  }
  return outcome
}

async function issue(send: Send, { id, tokens }: LedgerIdentity) {
  const path = `/identities/${id}/:issueAccessToken`
  const { outcome, text, slot, generation } = await send('POST', path, 200, { scopes: ['chat'] })
  if (outcome === 'acknowledged') {
    const { token } = JSON.parse(text) as { token: string }
    tokens.push({ text: token, slot, generation, state: 'valid' })
  }
  if (outcome === 'lost') {
    // Within a second, the lost token has the same text as the previous one, which this key may now keep valid.
    const valid = tokens.filter(({ state }) => state === 'valid')
    tokens.push(...valid.map((token) => ({ ...token, slot, generation, state: 'unknown' as const })))
  }
  return outcome
}

async function revoke(send: Send, identity: LedgerIdentity) {
  const tokens = identity.tokens.filter(({ state }) => state !== 'revoked')
  const { outcome } = await send('POST', `/identities/${identity.id}/:revokeAccessTokens`, 204)
  for (const token of tokens) {
    if (outcome === 'acknowledged') token.state = 'revoked'
    if (outcome === 'lost') token.state = 'unknown'
  }
  return outcome
}

async function remove(send: Send, identity: LedgerIdentity) {
  const { outcome } = await send('DELETE', `/identities/${identity.id}`, 204)
  if (outcome === 'acknowledged') identity.state = 'deleted'
  if (outcome === 'lost') identity.state = 'unknown'
  return outcome
}

async function sendSigned(
  { client, host }: EmulatorProcess,
  { keys }: Ledger,
  slot: Slot,
  method: string,
  route: string,
  success: number,
  content?: object,
) {
  const key = keys[slot]
  const { generation } = key
  const path = `${route}${version}`
  const body = content === undefined ? '' : JSON.stringify(content)
  const headers = {
    ...signedHeaders({ method, path, host, accessKey: key.value, body }),
    ...(content !== undefined && { 'content-type': 'application/json' }),
  }
  const response = await client.send({ method, path, headers, body }).catch(() => undefined)
  const sent = { text: response?.text ?? '', slot, generation }
  if (response === undefined) return { ...sent, outcome: 'lost' } as const
  if (response.status === success) return { ...sent, outcome: 'acknowledged' } as const
  const isKeyReplaced = key.isUnknown || key.generation !== generation
  if (response.status === 401 && isKeyReplaced) return { ...sent, outcome: 'rejected' } as const
  throw new Error(`unexpected response to ${method} ${path}: ${response.status} ${response.text}`)
}

/** Regenerates both keys by turns until the connection ends. */
export async function regenerateKeys(emulator: EmulatorProcess, ledger: Ledger, pause: () => Promise<void>) {
  try {
    for (;;) {
      for (const slot of slots) {
        await pause()
        await regenerateKey(emulator, ledger, slot)
      }
    }
  } catch {
    // The connection has ended.
  }
}

export async function regenerateKey(emulator: EmulatorProcess, ledger: Ledger, slot: Slot): Promise<void> {
  const key = ledger.keys[slot]
  key.isUnknown = true
  key.value = await emulator.regenerateKey(slot)
  key.generation++
  key.isUnknown = false
}
