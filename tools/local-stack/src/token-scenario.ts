import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { tokenSource, TokenError, type TokenResponse } from '@acs-kit/token-client'
import type { LocalStack } from './local-stack.ts'
import { signIn } from './sign-in.ts'
import type { Transcript } from './transcript.ts'

const user = 'alice'
const chatPeople = fileURLToPath(import.meta.resolve('./chat-people.ts'))
const quickstart = fileURLToPath(import.meta.resolve('@acs-kit/quickstart'))

/** Uses the token service as an app does, from sign-in to the deletion of the identity. Rejects if a step fails. */
export async function runTokenScenario(
  { emulator, service, isAzureEmulated }: LocalStack,
  transcript: Transcript,
): Promise<void> {
  transcript.printTitle('Tokens over HTTP, with the client package')
  const getSignInToken = await signIn(emulator.entra.issuer, user)
  transcript.printStep('signed in', `as ${user}, with the authorization code flow and PKCE`)
  let requests = 0
  const countingFetch: typeof fetch = (input, init) => {
    requests++
    return fetch(input, init)
  }
  const createClient = () => tokenSource({ url: service.url, getSignInToken, fetch: countingFetch })
  using tokens = createClient()
  const voip = await tokens.getToken({ scopes: ['voip'] })
  transcript.printStep('identity', voip.communicationUserId)
  transcript.printStep('voip token', formatToken(voip))
  transcript.printStep('chat token', formatToken(await tokens.getToken({ scopes: ['chat'] })))
  const requestsBefore = requests
  const again = await tokens.getToken({ scopes: ['voip'] })
  check(again === voip && requests === requestsBefore, 'the second voip token did not come from memory')
  transcript.printStep('voip token, again', 'the same token, from memory, without a request')
  using other = createClient()
  const shared = await other.getToken({ scopes: ['voip'] })
  check(shared.token === voip.token, "the other client's voip token did not come from the service's cache")
  transcript.printStep('second client', "of the same user: the same token, from the service's cache")
  tokens.invalidate()
  const requestsBeforeRefresh = requests
  const refreshed = await tokens.getToken({ scopes: ['voip'] })
  // Tokens issued within a second may be equal.
  check(requests > requestsBeforeRefresh, 'the voip token was not refreshed')
  transcript.printStep('refreshed', `${formatToken(refreshed)}, a new token`)
  await tokens.revokeTokens()
  transcript.printStep(
    'revoked',
    isAzureEmulated
      ? `all tokens; Azure's state of the last voip token: ${emulator.introspect(refreshed.token).state}`
      : 'all tokens',
  )
  await tokens.deleteIdentity()
  const error = await tokens.getIdentity().catch((reason: unknown) => reason)
  check(error instanceof TokenError && error.code === 'identity-unknown', 'the identity still exists')
  transcript.printStep('deleted', 'the identity and everything stored about it')
}

interface ProgramResult {
  /** Standard output, if it is not inherited. */
  readonly output: string
  readonly failure?: Error
}

/** Runs Microsoft's quickstart against the same resource. Its output is the transcript, with shortened tokens. */
export async function runQuickstart(
  { emulator, isAzureEmulated, connectionString }: LocalStack,
  signal: AbortSignal,
): Promise<ProgramResult> {
  if (connectionString === undefined)
    return { output: 'Skipped: it needs a connection string, and a keyless resource has none.' }
  const variables = {
    ...emulator.nodeEnvironment(),
    ACS_SDK: process.env['ACS_SDK'],
    COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
  }
  return await runNode('the quickstart', [quickstart, '--redact'], {
    env: childEnvironment(variables, { isOnline: !isAzureEmulated }),
    stdout: 'pipe',
    signal,
  })
}

/** Shows a chat of two people with real-time events, with tokens of the service. */
export async function runChat(
  { emulator, service, isAzureEmulated }: LocalStack,
  signal: AbortSignal,
): Promise<ProgramResult> {
  const addresses = ['--issuer', emulator.entra.issuer, '--service', service.url]
  return await runNode('the chat', [chatPeople, ...addresses], {
    env: childEnvironment(emulator.nodeEnvironment(), { isOnline: !isAzureEmulated }),
    stdout: 'inherit',
    signal,
  })
}

interface NodeOptions {
  readonly env: NodeJS.ProcessEnv
  readonly stdout: 'inherit' | 'pipe'
  readonly signal: AbortSignal
}

/** Runs a Node program, which cleans up after itself on a signal. */
async function runNode(
  name: string,
  args: readonly string[],
  { env, stdout, signal }: NodeOptions,
): Promise<ProgramResult> {
  const child = spawn(process.execPath, args, {
    env,
    stdio: ['ignore', stdout, 'pipe'],
    // Ctrl+C would otherwise reach the program twice, and the second signal ends it at once. On Windows, this would open a window.
    detached: process.platform !== 'win32',
  })
  signal.addEventListener('abort', () => child.kill('SIGTERM'))
  const [output, stderr] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    text(child.stderr!),
    once(child, 'close'),
  ])
  return child.exitCode === 0 ? { output } : { output, failure: new Error(`${name} failed: ${stderr.trim()}`) }
}

function formatToken({ token, expiresOn }: TokenResponse): string {
  return `${token.slice(0, 8)}...${token.slice(-8)}, until ${expiresOn}`
}

function check(isExpected: boolean, failure: string): void {
  if (!isExpected) throw new Error(failure)
}
