// Microsoft's access-token quickstart for Azure Communication Services, in the same order. Standard output contains only its
// transcript; everything else goes to standard error.
import { startEmulator, UnusableFolderError } from '@acs-kit/communication-emulator'
import {
  CommunicationIdentityError,
  createCommunicationIdentities,
  parseSdkName,
  type CommunicationIdentities,
  type FailureCode,
} from '@acs-kit/communication-identity'
import { parseArgs } from 'node:util'

const usage = `Usage: npm run quickstart -- [options]

Creates an identity, issues, refreshes and revokes its access tokens, and deletes it.

Options:
  --redact    print only the beginning and end of each token
  -h, --help  print this help

Environment variables:
  COMMUNICATION_SERVICES_CONNECTION_STRING  resource to use (default: a local emulator)
  ACS_SDK                                   administration or identity (default: administration)`

async function main(): Promise<void> {
  const { redact, help } = parseArgs({
    options: { redact: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  }).values
  if (help) return print(usage)

  const sdk = parseSdkName(process.env['ACS_SDK'], 'administration')
  const configured = process.env['COMMUNICATION_SERVICES_CONNECTION_STRING'] || undefined
  await using emulator = configured === undefined ? await startEmulator() : undefined
  const connectionString = configured ?? emulator!.connectionString
  const identities = await createCommunicationIdentities({ connectionString }, { sdk })
  log(`using the ${sdk} SDK and ${emulator ? 'a local emulator' : 'the resource'} at ${identities.endpoint}`)

  // An interruption from here on aborts the current step and cleans up.
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interruption.abort(new Error('interrupted')))
  }
  process.stdout.on('error', (cause) => interruption.abort(new Error('standard output was closed', { cause })))

  print('Azure Communication Services - Access Tokens Quickstart')
  const id = await identities.create()
  try {
    await useIdentity(identities, id, { format: redact ? shorten : String, signal: interruption.signal })
  } catch (error) {
    // The identity must not stay behind. If the deletion fails too, its id is printed.
    await identities.delete(id).catch((cause: unknown) => {
      if (!isUnknownIdentity(cause)) log(`could not delete the identity ${id}: ${formatError(cause)}`)
    })
    throw error
  }
}

async function useIdentity(
  identities: CommunicationIdentities,
  id: string,
  { format, signal }: { readonly format: (token: string) => string; readonly signal: AbortSignal },
): Promise<void> {
  const voip = await identities.issueToken(id, ['voip'], { signal })
  print(`\nIssued a access token with 'voip' scope for identity with ID: ${id}:\n${format(voip.token)}`)

  const chat = await identities.issueToken(id, ['chat'], { signal })
  print(`\nIssued a access token with 'chat' scope for identity with ID: ${id}:\n${format(chat.token)}`)

  // To refresh a token, issue another one for the same identity.
  const refreshed = await identities.issueToken(id, ['voip'], { signal })
  log(`refreshed the voip token: it expires on ${refreshed.expiresOn.toISOString()}`)

  await identities.revokeTokens(id, { signal })
  log('revoked all tokens of the identity')

  await identities.delete(id)
  print(`\nSuccessfully deleted the identity with ID: ${id}`)

  await expectDeleted(identities, id)
  print(`\nDeleted the identity with ID: ${id}`)
}

/** Throws unless the service rejects a request for the identity because it is unknown. */
async function expectDeleted(identities: CommunicationIdentities, id: string): Promise<void> {
  try {
    await identities.issueToken(id, ['chat'])
  } catch (error) {
    if (isUnknownIdentity(error)) return
    throw error
  }
  throw new Error(`the service issued a token for the deleted identity ${id}: run the quickstart again`)
}

function isUnknownIdentity(error: unknown): boolean {
  return error instanceof CommunicationIdentityError && error.code === 'identity-unknown'
}

function shorten(token: string): string {
  return `${token.slice(0, 8)}...${token.slice(-8)}`
}

const remedies: Partial<Record<FailureCode, string>> = {
  'credentials-rejected': 'copy the connection string again from Keys in the Azure portal',
  throttled: 'wait 30 seconds and try again',
  unavailable: 'check the endpoint and the network, and try again',
  'invalid-request': 'try the other SDK (ACS_SDK=identity or ACS_SDK=administration)',
}

function formatError(error: unknown): string {
  if (error instanceof UnusableFolderError) return error.format({})
  const message = error instanceof Error ? error.message : String(error)
  const remedy = error instanceof CommunicationIdentityError ? remedies[error.code] : undefined
  return remedy ? `${message}; ${remedy}` : message
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function log(text: string): void {
  process.stderr.write(`quickstart: ${text}\n`)
}

try {
  await main()
} catch (error) {
  log(`failed: ${formatError(error)}`)
  process.exitCode = 1
}
