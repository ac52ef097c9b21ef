import { CommunicationIdentityError, createCommunicationIdentities } from '@acs-kit/communication-identity'
import { CommunicationServiceManagementClient } from '@azure/arm-communication'
import type { TokenCredential } from '@azure/identity'
import { formatSignInError, toLine } from '../azure-error.ts'
import type { StackResource } from '../stack/stack-state.ts'
import { findEndpoint, type Cloud } from '../cloud.ts'
import type { KeyName } from './rotation-record.ts'

/** Id that no resource owns. Deleting it checks whether a key is accepted, and changes nothing. */
const unownedUserId = '8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000'

const keyTypes = { primary: 'Primary', secondary: 'Secondary' } as const

/** Regenerates a key with the user's account. The SDK repeats a request whose response is lost: that only replaces the new key. */
export async function regenerateKey(
  key: KeyName,
  { id, name }: StackResource,
  cloud: Cloud,
  credential: TokenCredential,
): Promise<void> {
  const endpoint = await findEndpoint(cloud)
  const [, , subscriptionId, , group] = id.split('/')
  const client = new CommunicationServiceManagementClient(credential, subscriptionId!, { endpoint })
  try {
    await client.communicationServices.regenerateKey(group!, name, { keyType: keyTypes[key] })
  } catch (error) {
    const { statusCode, code, message } = error as Error & { statusCode?: number; code?: string }
    const signInError = formatSignInError(error as Error)
    if (signInError !== undefined) throw new Error(signInError, { cause: error })
    const reason =
      statusCode === 403
        ? `access denied to ${name}: you need the role Contributor on it`
        : `${endpoint} responded with ${statusCode ?? 'an error'} ${code ?? ''}: ${toLine(message)}`
    throw new Error(`the ${key} key was not regenerated, run the command again to continue: ${reason}`, {
      cause: error,
    })
  }
}

/** Returns whether ACS accepts a key. Rejects if ACS is not reachable. */
export async function isKeyAccepted(connectionString: string): Promise<boolean> {
  const identities = await createCommunicationIdentities({ connectionString }, { sdk: 'identity' })
  try {
    await identities.delete(unownedUserId)
    return true
  } catch (error) {
    if (!(error instanceof CommunicationIdentityError)) throw error
    if (error.code === 'credentials-rejected') return false
    if (error.code !== 'unavailable' && error.code !== 'throttled') return true
    throw new Error(`cannot check the access keys, run the command again to continue: ${error.message}`, {
      cause: error,
    })
  }
}
