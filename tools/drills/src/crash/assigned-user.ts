import { wellKnownPublicClientId, wellKnownTenantId } from '@acs-kit/communication-emulator'
import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import type { Random } from '@acs-kit/test-support/random'
import type { LedgerAssignment } from './ledger.ts'

const version = '?api-version=2025-06-30'

/** Assigns a user to the Teams extension, exchanges the user's tokens and removes the assignment, in random order. */
export async function createAssignedUser(
  emulator: EmulatorProcess,
  assignments: LedgerAssignment[],
  random: Random,
): Promise<() => Promise<'acknowledged' | 'lost'>> {
  const signIn = (user: string, audience: string) =>
    emulator.administer<{ accessToken: string; oid: string }>('POST', 'entra/sign-in', { user, audience })
  const administrator = await signIn('administrator', 'https://communication.azure.com')
  const user = await signIn(`user-${random.below(2 ** 31)}`, 'https://auth.msft.communication.azure.com')
  const path = `/access/teamsExtension/tenants/${wellKnownTenantId}/assignments/${user.oid}${version}`
  const assignment: LedgerAssignment = { objectId: user.oid, state: 'removed', tokens: [] }
  assignments.push(assignment)

  async function send(method: string, target: string, bearer: string, content?: object) {
    const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }
    const body = content === undefined ? '' : JSON.stringify(content)
    const response = await emulator.client.send({ method, path: target, headers, body }).catch(() => undefined)
    if (!response || response.status < 300) return response?.text
    throw new Error(`unexpected response to ${method} ${target}: ${response.status} ${response.text}`)
  }

  async function assign() {
    const body = { principalType: 'user', clientIds: [wellKnownPublicClientId] }
    const text = await send('PUT', path, administrator.accessToken, body)
    assignment.state = text === undefined ? 'unknown' : 'assigned'
    return text
  }

  async function exchange() {
    const target = `/access/teamsExtension/:exchangeAccessToken${version}`
    const text = await send('POST', target, user.accessToken, {})
    if (text !== undefined) {
      const { accessToken } = JSON.parse(text) as { accessToken: { token: string } }
      assignment.tokens.push({ text: accessToken.token, state: 'valid' })
    }
    return text
  }

  async function remove() {
    const text = await send('DELETE', path, administrator.accessToken)
    assignment.state = text === undefined ? 'unknown' : 'removed'
    for (const token of assignment.tokens.filter(({ state }) => state === 'valid')) {
      token.state = text === undefined ? 'unknown' : 'revoked'
    }
    return text
  }

  return async () => {
    const change = assignment.state === 'removed' ? assign : random.next() < 0.7 ? exchange : remove
    return (await change()) === undefined ? 'lost' : 'acknowledged'
  }
}
