import type { ChatMessage, ChatParticipant, ChatReadReceipt, ChatThread } from './chat-thread.ts'

/** User who caused an event. */
export interface ChatActor {
  readonly communicationUserId: string
  readonly displayName: string | undefined
}

/** Members by the name of the event in `ChatClient`. */
interface ChatEventMembers {
  chatMessageReceived: { readonly message: ChatMessage }
  chatMessageEdited: { readonly message: ChatMessage }
  chatMessageDeleted: { readonly message: ChatMessage }
  typingIndicatorReceived: { readonly by: ChatActor }
  readReceiptReceived: { readonly receipt: ChatReadReceipt }
  chatThreadCreated: { readonly by: ChatActor; readonly participants: readonly ChatParticipant[] }
  chatThreadPropertiesUpdated: { readonly by: ChatActor }
  /** Without `by`, the retention policy deleted the thread. */
  chatThreadDeleted: { readonly by: ChatActor | undefined }
  participantsAdded: { readonly by: ChatActor; readonly participants: readonly ChatParticipant[] }
  participantsRemoved: { readonly by: ChatActor; readonly participants: readonly ChatParticipant[] }
}

export type ChatEventName = keyof ChatEventMembers

/** A change of a thread, which its recipients receive in real time. */
export type ChatEvent = {
  [Name in ChatEventName]: ChatEventMembers[Name] & {
    readonly name: Name
    /** The thread after the change. */
    readonly thread: ChatThread
    /** Communication user ids of the recipients. */
    readonly recipients: readonly string[]
    /** Time of the change: milliseconds of the emulator's clock, equal to the version of the message or of the thread. */
    readonly at: number
  }
}[ChatEventName]

/** Names of the events; faults can name them like operations. */
export const chatEventNames: readonly ChatEventName[] = Object.keys({
  chatMessageReceived: 1,
  chatMessageEdited: 1,
  chatMessageDeleted: 1,
  typingIndicatorReceived: 1,
  readReceiptReceived: 1,
  chatThreadCreated: 1,
  chatThreadPropertiesUpdated: 1,
  chatThreadDeleted: 1,
  participantsAdded: 1,
  participantsRemoved: 1,
} satisfies Record<ChatEventName, 1>) as ChatEventName[]
