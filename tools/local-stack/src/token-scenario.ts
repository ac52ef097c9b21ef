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

/** Runs Microsoft's quickstart against the same resource. Returns its transcript, with shortened tokens. */
export async function runQuickstart(
  { emulator, isAzureEmulated, connectionString }: LocalStack,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted()
  if (connectionString === undefined) return 'Skipped: it needs a connection string, and a keyless resource has none.'
  const variables = {
    ...emulator.nodeEnvironment(),
    ACS_SDK: process.env['ACS_SDK'],
    COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
  }
  // On a signal, the quickstart cleans up after itself.
  return await runChild('the quickstart', [quickstart, '--redact'], {
    stdout: 'pipe',
    env: childEnvironment(variables, { isOnline: !isAzureEmulated }),
    signal,
  })
}

/** Shows a chat of two people with real-time events, with tokens of the service. */
export async function runChatScenario(
  { emulator, service, isAzureEmulated }: LocalStack,
  transcript: Transcript,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  transcript.printTitle('Two people in a chat, with the chat SDK')
  const addresses = ['--issuer', emulator.entra.issuer, '--service', service.url]
  await runChild('the chat', [chatPeople, ...addresses], {
    stdout: 'inherit',
    env: childEnvironment(emulator.nodeEnvironment(), { isOnline: !isAzureEmulated }),
    signal,
  })
}

interface ChildOptions {
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly stdout: 'inherit' | 'pipe'
}

/** Runs a Node program, which prints its own steps. A signal is passed on. Returns what it prints to a pipe. */
async function runChild(name: string, args: readonly string[], { env, signal, stdout }: ChildOptions): Promise<string> {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', stdout, 'pipe'] })
  signal.addEventListener('abort', () => child.kill('SIGTERM'))
  const [printed, stderr] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    text(child.stderr!),
    once(child, 'close'),
  ])
  if (child.exitCode !== 0) throw new Error(`${name} failed: ${stderr.trim()}`)
  return printed
}

function formatToken({ token, expiresOn }: TokenResponse): string {
  return `${token.slice(0, 8)}...${token.slice(-8)}, until ${expiresOn}`
}

function check(isExpected: boolean, failure: string): void {
  if (!isExpected) throw new Error(failure)
}
