import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { CommunicationIdentityClient } from '@azure/communication-identity'

/** Creates, uses and deletes an identity through the real SDK. Throws if a step fails. */
export async function makeRoundTrip(emulator: EmulatorProcess, accessKey = emulator.accessKey): Promise<void> {
  const client = new CommunicationIdentityClient(emulator.connectionStringWith(accessKey), {
    retryOptions: { maxRetries: 0 },
    tlsOptions: { ca: emulator.ca },
  })
  const { user, token } = await client.createUserAndToken(['chat'])
  const { token: second } = await client.getToken(user, ['voip'])
  await expectState(emulator, token, 'valid')
  await expectState(emulator, second, 'valid')
  await client.revokeTokens(user)
  await expectState(emulator, second, 'revoked')
  await client.deleteUser(user)
}

async function expectState(emulator: EmulatorProcess, token: string, expected: string): Promise<void> {
  const state = await emulator.tokenState(token)
  if (state !== expected) throw new Error(`a token is ${state}, expected ${expected}`)
}
