// The access-token quickstart of Azure Communication Services, in the quickstart's order. Standard output is its
// transcript and nothing else; what else there is to say goes to standard error.
import { startEmulator } from '@acs-kit/communication-emulator'
import {
  CommunicationIdentityError,
  createCommunicationIdentities,
  parseSdkName,
  type CommunicationIdentities,
  type FailureCode,
} from '@acs-kit/communication-identity'
import { parseArgs } from 'node:util'

async function main(): Promise<void> {
  const { redact } = parseArgs({ options: { redact: { type: 'boolean', default: false } } }).values
  const sdk = parseSdkName(process.env['ACS_SDK'], 'administration')
  await using place = await findResource()
  const identities = await createCommunicationIdentities(place, { sdk })
  note(`running against ${place.description} at ${identities.endpoint}, with the ${sdk} SDK`)

  // From here on an interruption lets the step at hand go, and cleans up.
  const interrupt = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupt.abort(new Error('interrupted')))
  }
  process.stdout.on('error', (cause) => interrupt.abort(new Error('nobody reads the output any more', { cause })))

  print('Azure Communication Services - Access Tokens Quickstart')
  const communicationUserId = await identities.create()
  try {
    await walk(identities, communicationUserId, {
      show: redact ? headAndTail : (token) => token,
      signal: interrupt.signal,
    })
  } catch (error) {
    // Nothing that was made here stays behind; if even that fails, its name is what the person needs.
    await identities.delete(communicationUserId).catch((cause: unknown) => {
      const isGone = cause instanceof CommunicationIdentityError && cause.code === 'identity-unknown'
      if (!isGone) note(`the identity ${communicationUserId} could not be deleted: ${messageOf(cause)}`)
    })
    throw error
  }
}

interface WalkOptions {
  readonly show: (token: string) => string
  readonly signal: AbortSignal
}

async function walk(identities: CommunicationIdentities, id: string, { show, signal }: WalkOptions): Promise<void> {
  const voip = await identities.issueToken(id, ['voip'], { signal })
  print(`\nIssued a access token with 'voip' scope for identity with ID: ${id}:\n${show(voip.token)}`)

  const chat = await identities.issueToken(id, ['chat'], { signal })
  print(`\nIssued a access token with 'chat' scope for identity with ID: ${id}:\n${show(chat.token)}`)

  // A token is refreshed by issuing another one for the same identity.
  const refreshed = await identities.issueToken(id, ['voip'], { signal })
  note(`refreshed the voip token: it expires on ${refreshed.expiresOn.toISOString()}`)

  await identities.revokeTokens(id, { signal })
  note('revoked all tokens of the identity')

  await identities.delete(id)
  print(`\nSuccessfully deleted the identity with ID: ${id}`)

  await expectUnknown(identities, id)
  print(`\nDeleted the identity with ID: ${id}`)
}

/** Only a refused request proves that the identity is gone. */
async function expectUnknown(identities: CommunicationIdentities, id: string): Promise<void> {
  try {
    await identities.issueToken(id, ['chat'])
  } catch (error) {
    if (error instanceof CommunicationIdentityError && error.code === 'identity-unknown') return
    throw error
  }
  throw new Error('the identity was deleted, yet it was issued a token: look at it in the Azure portal, and try again')
}

async function findResource() {
  const connectionString = process.env['COMMUNICATION_SERVICES_CONNECTION_STRING']
  if (connectionString) {
    return {
      connectionString,
      description: 'the resource of COMMUNICATION_SERVICES_CONNECTION_STRING',
      [Symbol.asyncDispose]: async () => {},
    }
  }
  const emulator = await startEmulator()
  return {
    connectionString: emulator.connectionString,
    description: 'an emulator of Azure, for want of COMMUNICATION_SERVICES_CONNECTION_STRING,',
    [Symbol.asyncDispose]: () => emulator[Symbol.asyncDispose](),
  }
}

function headAndTail(token: string): string {
  return `${token.slice(0, 8)}...${token.slice(-8)}`
}

const remedies: Partial<Record<FailureCode, string>> = {
  'credentials-refused': 'take the connection string anew from the Azure portal, under Keys',
  throttled: 'wait half a minute and try again',
  unavailable: 'check the endpoint and the network, and try again',
  'invalid-request': 'try the other SDK (ACS_SDK=identity or ACS_SDK=administration)',
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const remedy = error instanceof CommunicationIdentityError ? remedies[error.code] : undefined
  return remedy ? `${message}; ${remedy}` : message
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function note(text: string): void {
  process.stderr.write(`quickstart: ${text}\n`)
}

try {
  await main()
} catch (error) {
  note(`failed: ${messageOf(error)}`)
  process.exitCode = 1
}
