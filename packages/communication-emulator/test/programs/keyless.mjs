import { CommunicationIdentityClient } from '@azure/communication-identity'
import { DefaultAzureCredential } from '@azure/identity'

const endpoint = process.env.COMMUNICATION_SERVICES_ENDPOINT
const client = new CommunicationIdentityClient(endpoint, new DefaultAzureCredential())
const { user, token } = await client.createUserAndToken(['chat'])
await client.deleteUser(user)
process.stdout.write(token)
