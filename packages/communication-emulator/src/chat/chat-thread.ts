/** A chat thread. All times are milliseconds of the emulator's clock. */
export interface ChatThread {
  /** `19:acsV2_<44 characters>@thread.v2`. */
  readonly id: string
  /** Name of the resource. */
  readonly resource: string
  readonly topic: string
  readonly createdAt: number
  /** Communication user id. */
  readonly createdBy: string
  readonly metadata: Readonly<Record<string, string>> | undefined
  /** Days after its creation at which the thread is deleted; undefined: never. */
  readonly retentionDays: number | undefined
}

export interface ChatParticipant {
  readonly communicationUserId: string
  readonly displayName: string | undefined
  /** The participant sees messages from this time on; 0: all. */
  readonly shareHistoryFrom: number
  readonly metadata: Readonly<Record<string, string>> | undefined
}

export type ChatMessageType = 'text' | 'html' | 'topicUpdated' | 'participantAdded' | 'participantRemoved'

export interface ChatMessage {
  /** Time of its creation: milliseconds, in decimal. */
  readonly id: string
  /** The id, or the time of the last change. */
  readonly version: string
  /** Position in the thread, from 1. */
  readonly sequenceId: number
  readonly type: ChatMessageType
  readonly content: ChatMessageContent
  /** Communication user id; undefined for system messages. */
  readonly sender: string | undefined
  readonly senderDisplayName: string | undefined
  readonly metadata: Readonly<Record<string, string>> | undefined
  readonly createdAt: number
  readonly editedAt: number | undefined
  readonly deletedAt: number | undefined
}

/** Content of a message: `message` of a text, the other members of system messages. */
export interface ChatMessageContent {
  readonly message?: string
  readonly topic?: string
  readonly participants?: readonly ChatParticipant[]
  /** Communication user id of the user who changed the thread. */
  readonly initiator?: string
}

export interface ChatReadReceipt {
  readonly communicationUserId: string
  readonly messageId: string
  readonly readAt: number
}
