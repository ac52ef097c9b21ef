// A program as any team might have it: nothing in it knows of an emulator.
import { CommunicationIdentityClient } from '@azure/communication-identity'

const client = new CommunicationIdentityClient(process.env.COMMUNICATION_SERVICES_CONNECTION_STRING)
const { user, token } = await client.createUserAndToken(['chat', 'voip'])
if (token.split('.').length !== 3) throw new Error('no token')
await client.revokeTokens(user)
await client.deleteUser(user)
console.log(`${user.communicationUserId} deleted`)
