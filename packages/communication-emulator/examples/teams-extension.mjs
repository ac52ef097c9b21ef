// A user of Teams Phone extensibility, from assignment to removal.
// Needs: npm install @azure/communication-common @azure/core-rest-pipeline
import {
  AzureCommunicationTokenCredential,
  createCommunicationAuthPolicy,
  parseConnectionString,
} from '@azure/communication-common'
import { createDefaultHttpClient, createEmptyPipeline, createPipelineRequest } from '@azure/core-rest-pipeline'

const { endpoint, credential } = parseConnectionString(process.env.COMMUNICATION_SERVICES_CONNECTION_STRING)

// In the browser: the user signs in. With Entra ID, the token comes from MSAL.
const signIn = await fetch(`${endpoint}_emulator/entra/sign-in`, {
  method: 'POST',
  body: JSON.stringify({ user: 'alice', audience: 'https://auth.msft.communication.azure.com' }),
})
const { accessToken, expiresOn, oid } = await signIn.json()
const { tid, azp } = JSON.parse(Buffer.from(accessToken.split('.')[1], 'base64url').toString())

// On a server, with the credentials of the resource: assigns the user, and lists the applications that may exchange their tokens.
const pipeline = createEmptyPipeline()
pipeline.addPolicy(createCommunicationAuthPolicy(credential))
async function sendAssignment(method, body) {
  const url = `${endpoint}access/teamsExtension/tenants/${tid}/assignments/${oid}?api-version=2025-06-30`
  const request = createPipelineRequest({ url, method, body: body && JSON.stringify(body) })
  request.headers.set('Content-Type', 'application/json')
  const { status } = await pipeline.sendRequest(createDefaultHttpClient(), request)
  console.log(`${method} assignment: ${status}`)
}
await sendAssignment('PUT', { principalType: 'user', clientIds: [azp] })

// In the browser: the credential of the Calling SDK exchanges the user's token by itself.
const userCredential = new AzureCommunicationTokenCredential({
  resourceEndpoint: endpoint,
  tokenCredential: { getToken: async () => ({ token: accessToken, expiresOnTimestamp: Date.parse(expiresOn) }) },
  scopes: ['https://auth.msft.communication.azure.com/TeamsExtension.ManageCalls'],
})
const { token, expiresOnTimestamp } = await userCredential.getToken()
const { skypeid, acsScope } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
console.log(`8:${skypeid}: a ${acsScope} token that expires on ${new Date(expiresOnTimestamp).toISOString()}`)

await sendAssignment('DELETE')
