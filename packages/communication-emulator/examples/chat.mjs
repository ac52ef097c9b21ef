// Microsoft's chat quickstart, without its events, which the SDK supports in browsers only.
// Needs: npm install @azure/communication-chat @azure/communication-common @azure/communication-identity
import { ChatClient } from '@azure/communication-chat'
import { AzureCommunicationTokenCredential } from '@azure/communication-common'
import { CommunicationIdentityClient } from '@azure/communication-identity'

const connectionString = process.env.COMMUNICATION_SERVICES_CONNECTION_STRING
const [, endpoint] = /endpoint=([^;]+)/.exec(connectionString)
const identities = new CommunicationIdentityClient(connectionString)

async function createPerson(displayName) {
  const { user, token } = await identities.createUserAndToken(['chat'])
  return { displayName, user, client: new ChatClient(endpoint, new AzureCommunicationTokenCredential(token)) }
}

const alice = await createPerson('Alice')
const bob = await createPerson('Bob')

const participants = [alice, bob].map(({ user: id, displayName }) => ({ id, displayName }))
const { chatThread } = await alice.client.createChatThread({ topic: 'Lunch' }, { participants })
console.log(`created a thread: ${chatThread.topic}`)

const atAlice = alice.client.getChatThreadClient(chatThread.id)
const atBob = bob.client.getChatThreadClient(chatThread.id)
await atAlice.sendMessage({ content: 'Noon?' }, { senderDisplayName: 'Alice' })
for await (const { type, content, senderDisplayName } of atBob.listMessages()) {
  if (type === 'text') console.log(`${senderDisplayName}: ${content.message}`)
}
await atBob.sendTypingNotification()
const { id: messageId } = await atBob.sendMessage({ content: 'Yes.' }, { senderDisplayName: 'Bob' })
await atAlice.sendReadReceipt({ chatMessageId: messageId })
for await (const { sender } of atBob.listReadReceipts()) console.log(`read by ${sender.communicationUserId}`)

await atBob.removeParticipant(bob.user)
for await (const { displayName } of atAlice.listParticipants()) console.log(`still there: ${displayName}`)
await alice.client.deleteChatThread(chatThread.id)
console.log('deleted the thread')
