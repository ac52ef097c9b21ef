// `npm start`: the way of a token on this machine, from a person's sign-in to the deletion of their identity, then the
// quickstart's transcript. With `--keep` everything stays up for use.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { tokenSource, TokenError, type TokenResponse } from '@acs-kit/token-client'
import { hintsOf } from './hints.ts'
import { Person } from './person.ts'
import { portOptions, readPorts } from './ports.ts'
import { runProgram } from './program.ts'
import { Stack } from './stack.ts'

const user = 'alice'
const quickstart = fileURLToPath(new URL('../../quickstart/src/quickstart.ts', import.meta.url))

async function main(stopped: Promise<'stop'>): Promise<void> {
  const { values } = parseArgs({ options: { ...portOptions, keep: { type: 'boolean', default: false } } })
  const ports = values.keep ? readPorts(values) : { emulator: 0, service: 0 }
  await using stack = await Stack.start({ ports })
  const interrupt = new AbortController()
  const work = walk(stack).then(() => runQuickstart(stack, interrupt.signal))
  if ((await Promise.race([stopped, work])) === 'stop') {
    interrupt.abort()
    await work.catch(() => undefined)
    throw new Error('interrupted')
  }
  if (!values.keep)
    return print('\nEverything is stopped, nothing is left. `npm start -- --keep` stays up, with a page to play with.')
  print(`\nEverything stays up until Ctrl+C.\n${hintsOf(stack)}`)
  await stopped
}

async function walk(stack: Stack): Promise<void> {
  const { emulator, service } = stack
  title('Running on this machine')
  step(
    'Azure',
    stack.isAzureEmulated ? `emulated, at ${emulator.endpoint}` : `real: ${stack.connectionString.split(';')[0]}`,
  )
  step('sign-in', 'emulated, by OpenID Connect')
  step('identities', 'kept in Azurite')
  step('token service', service.url)

  title('A person gets a token, over HTTP, with the client package')
  const person = await Person.signIn(emulator.entra.issuer, user)
  step('signed in', `as ${user}, by the code flow with PKCE`)
  let requests = 0
  const counted: typeof fetch = (input, init) => {
    requests++
    return fetch(input, init)
  }
  const open = () => tokenSource({ url: service.url, getSignInToken: person.getSignInToken, fetch: counted })
  using tokens = open()
  const voip = await tokens.getToken({ scopes: ['voip'] })
  step('identity', voip.communicationUserId)
  step('voip token', describe(voip))
  step('chat token', describe(await tokens.getToken({ scopes: ['chat'] })))
  const before = requests
  const again = await tokens.getToken({ scopes: ['voip'] })
  expect(again === voip && requests === before, 'the second voip token should have come from memory')
  step('voip again', 'the same token, from memory, without a request')
  using other = open()
  expect((await other.getToken({ scopes: ['voip'] })).token === voip.token, 'the service should have kept the token')
  step('elsewhere', 'another program of the same person: the same token, from the service’s cache')
  await tokens.revokeTokens()
  step(
    'revoked',
    stack.isAzureEmulated ? `Azure’s word on that voip token: ${emulator.introspect(voip.token).state}` : 'all tokens',
  )
  await tokens.deleteIdentity()
  const gone = await tokens.getIdentity().catch((error: unknown) => error)
  expect(gone instanceof TokenError && gone.code === 'identity-unknown', 'the identity should be gone')
  step('deleted', 'the identity, and all that was known about it')
}

/** Microsoft's quickstart against the same resource, its transcript as it is but for the tokens' middle. */
async function runQuickstart({ connectionString, emulator }: Stack, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  title('The same by hand: the access-token quickstart')
  const env = {
    ...process.env,
    COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
    NODE_EXTRA_CA_CERTS: emulator.caPath,
  }
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

function title(text: string): void {
  print(`\n${text}\n`)
}

function step(what: string, text: string): void {
  print(`  ${what.padEnd(14)} ${text}`)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

await runProgram(main)
