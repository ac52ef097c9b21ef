import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { CommunicationIdentityClient } from '@azure/communication-identity'

/** Throws unless the emulator responds, serves the real SDK and has logged nothing but rejected requests. */
export async function expectHealthy(emulator: EmulatorProcess, accessKey = emulator.accessKey): Promise<void> {
  try {
    await emulator.administer('GET', 'health')
    await makeRoundTrip(emulator, accessKey)
  } catch (cause) {
    throw new Error(`the emulator is unhealthy; its output: ${emulator.server.stderr.slice(-2000)}`, { cause })
  }
  const unexpected = findUnexpectedLine(emulator.server.stderr)
  if (unexpected !== undefined) throw new Error(`unexpected output of the emulator: ${unexpected}`)
}

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

const rejectedRequest = /^communication-emulator: \S+ \S+ (\d{3} \w*( \{.*\})?|connection cut by a fault)$/

/** Returns a line of standard error that is not about a rejected request: a failure of the emulator or a warning of Node. */
export function findUnexpectedLine(stderr: string): string | undefined {
  return stderr.split('\n').find((line) => line !== '' && !rejectedRequest.test(line))
}
