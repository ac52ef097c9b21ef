import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { tokenSource, TokenError, type TokenResponse } from '@acs-kit/token-client'
import { Person } from './person.ts'
import type { RunningStack } from './stack.ts'
import type { Transcript } from './transcript.ts'

const user = 'alice'
const quickstart = fileURLToPath(import.meta.resolve('@acs-kit/quickstart'))

/** The way of a token: from a person's sign-in to the deletion of their identity. Rejects when a step is not as it should be. */
export async function walk(
  { emulator, service, isAzureEmulated }: RunningStack,
  transcript: Transcript,
): Promise<void> {
  transcript.title('A person gets a token, over HTTP, with the client package')
  const person = await Person.signIn(emulator.entra.issuer, user)
  transcript.step('signed in', `as ${user}, by the code flow with PKCE`)
  let requests = 0
  const counted: typeof fetch = (input, init) => {
    requests++
    return fetch(input, init)
  }
  const open = () => tokenSource({ url: service.url, getSignInToken: person.getSignInToken, fetch: counted })
  using tokens = open()
  const voip = await tokens.getToken({ scopes: ['voip'] })
  transcript.step('identity', voip.communicationUserId)
  transcript.step('voip token', describe(voip))
  transcript.step('chat token', describe(await tokens.getToken({ scopes: ['chat'] })))
  const before = requests
  const again = await tokens.getToken({ scopes: ['voip'] })
  expect(again === voip && requests === before, 'the second voip token should have come from memory')
  transcript.step('voip again', 'the same token, from memory, without a request')
  using other = open()
  expect((await other.getToken({ scopes: ['voip'] })).token === voip.token, 'the service should have kept the token')
  transcript.step('elsewhere', 'another program of the same person: the same token, from the service’s cache')
  await tokens.revokeTokens()
  transcript.step(
    'revoked',
    isAzureEmulated ? `Azure’s word on that voip token: ${emulator.introspect(voip.token).state}` : 'all tokens',
  )
  await tokens.deleteIdentity()
  const gone = await tokens.getIdentity().catch((error: unknown) => error)
  expect(gone instanceof TokenError && gone.code === 'identity-unknown', 'the identity should be gone')
  transcript.step('deleted', 'the identity, and all that was known about it')
}

/** Microsoft's quickstart against the same resource, its transcript as it is but for the tokens' middle. */
export async function runQuickstart(
  { emulator, isAzureEmulated, connectionString }: RunningStack,
  transcript: Transcript,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  transcript.title('The same by hand: the access-token quickstart')
  if (connectionString === undefined)
    return transcript.say('Left out: it takes a connection string, and no key opens this resource.')
  const chosen = {
    ...emulator.nodeEnvironment(),
    ACS_SDK: process.env['ACS_SDK'],
    COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
  }
  const env = childEnvironment(chosen, { isOnline: !isAzureEmulated })
  const child = spawn(process.execPath, [quickstart, '--redact'], { env, stdio: ['ignore', 'inherit', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  // It cleans up after itself.
  signal.addEventListener('abort', () => child.kill('SIGTERM'))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`the quickstart failed: ${said}`)
}

function describe({ token, expiresOn }: TokenResponse): string {
  return `${token.slice(0, 8)}...${token.slice(-8)}, until ${expiresOn}`
}

function expect(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Error(otherwise)
}
