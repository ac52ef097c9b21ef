// Microsoft's access-token quickstart with the current JavaScript SDK. Needs: npm install @azure/communication-identity
import { CommunicationIdentityClient } from '@azure/communication-identity'

const client = new CommunicationIdentityClient(process.env.COMMUNICATION_SERVICES_CONNECTION_STRING)

const user = await client.createUser()
console.log(`created ${user.communicationUserId}`)

const voip = await client.getToken(user, ['voip'])
console.log(`issued a voip token that expires on ${voip.expiresOn.toISOString()}`)

const chat = await client.getToken(user, ['chat'])
console.log(`issued a chat token that expires on ${chat.expiresOn.toISOString()}`)

const refreshed = await client.getToken(user, ['voip'])
console.log(`refreshed the voip token, which expires on ${refreshed.expiresOn.toISOString()}`)

await client.revokeTokens(user)
console.log('revoked all tokens')

await client.deleteUser(user)
console.log('deleted the identity')
