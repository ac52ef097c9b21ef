import './require-node.mjs'
export type { Emulator } from './emulator.ts'
export { startEmulator } from './start-emulator.ts'
export type { EmulatorOptions } from './emulator-options.ts'
export type { EmulatedResource } from './emulated-resources.ts'
export type {
  ActingParticipant,
  ChatAdministration,
  ListedChatThread,
  NewChatParticipant,
} from './chat/chat-administration.ts'
export type { ChatActor, ChatEvent, ChatEventName } from './chat/chat-event.ts'
export type { ChatEventFilter, PublishedChatEvent } from './chat/chat-events.ts'
export type {
  ChatMessage,
  ChatMessageContent,
  ChatMessageType,
  ChatParticipant,
  ChatReadReceipt,
  ChatThread,
} from './chat/chat-thread.ts'
export type { NewTextMessage } from './chat/message-operations.ts'
export type { ListedConnection } from './chat/real-time/listed-connection.ts'
export type { Fault } from './fault.ts'
export type { ListedFault } from './fault-plan.ts'
export type { ListedAssignment } from './identity/assignments.ts'
export type { ListedIdentity } from './identity/identities.ts'
export type { TokenState } from './identity/issued-tokens.ts'
export type { Introspection, ListedToken } from './identity/token-introspection.ts'
export type { EntraPlane, SignInOptions, SignInResult } from './entra/entra-plane.ts'
export {
  wellKnownClientSecret,
  wellKnownConfidentialClientId,
  wellKnownPublicClientId,
  wellKnownTenantId,
} from './entra/tenant.ts'
export { InvalidSettingError } from './invalid-setting-error.ts'
export { documentedQuotas } from './documented-quotas.ts'
export type { Limit, Quotas } from './quotas.ts'
export type { LoggedRequest } from './request-log.ts'
export {
  defaultResourceName,
  wellKnownAccessKey,
  wellKnownConnectionString,
  wellKnownPort,
  type KeySlot,
} from './access-key.ts'
export type { ResourceOptions } from './resource.ts'
export type { StorageServices } from './resource-manager/storage-services.ts'
export { UnusableFolderError } from './unusable-folder-error.ts'
