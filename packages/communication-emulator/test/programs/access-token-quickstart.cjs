// The calls of Microsoft's JavaScript access-token quickstart, which knows nothing of an emulator.
const { CommunicationIdentityClient } = require('@azure/communication-identity')
const { DefaultAzureCredential } = require('@azure/identity')

async function main() {
  const endpoint = process.env['COMMUNICATION_SERVICES_ENDPOINT']
  const client = new CommunicationIdentityClient(endpoint, new DefaultAzureCredential())
  const identity = await client.createUser()
  await client.getToken(identity, ['voip'])
  await client.getToken(identity, ['voip'], { tokenExpiresInMinutes: 60 })
  const { user, token } = await client.createUserAndToken(['voip'])
  if (token.split('.').length !== 3) throw new Error('no token')
  await client.revokeTokens(identity)
  await client.deleteUser(identity)
  await client.deleteUser(user)
  console.log(`${identity.communicationUserId} deleted`)
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
