export { ChatClient } from '@azure/communication-chat'
