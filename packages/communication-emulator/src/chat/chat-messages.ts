import type { Store } from '../store.ts'
import { fromColumn, toColumn } from './chat-threads.ts'
import type { ChatMessage, ChatMessageContent, ChatMessageType, ChatReadReceipt } from './chat-thread.ts'

interface MessageRow {
  readonly id: number
  readonly version: number
  readonly sequence: number
  readonly type: ChatMessageType
  /** Text of a text or HTML message; JSON of the content of others. */
  readonly content: string
  readonly sender: string | null
  readonly sender_display_name: string | null
  readonly metadata: string | null
  readonly created_at: number
  readonly edited_at: number | null
  readonly deleted_at: number | null
}

/** A message before it has a position in its thread. */
export type NewMessage = Pick<ChatMessage, 'type' | 'content'> &
  Partial<Pick<ChatMessage, 'sender' | 'senderDisplayName' | 'metadata'>>

export type ChatMessages = ReturnType<typeof createChatMessages>

/** The messages and read receipts of all threads. */
export function createChatMessages(store: Store) {
  /** Adds a message at the end of a thread. Its id is the time, or more if the last version is not older. */
  function append(key: number, message: NewMessage, now: number): ChatMessage {
    const { type, content, sender, senderDisplayName, metadata } = message
    return store.transaction(() => {
      // guess(last-message)
      const { sequence, id } = store.get<{ sequence: number; id: number }>(
        `UPDATE chat_thread SET last_sequence = last_sequence + 1, last_version = max(last_version + 1, :now),
           last_message_at = iif(:isOfUser, :now, last_message_at)
         WHERE id = :key RETURNING last_sequence AS sequence, last_version AS id`,
        { key, now, isOfUser: Number(isOfUser(type)) },
      )!
      store.run(
        `INSERT INTO chat_message (thread, id, version, sequence, type, content, sender, sender_display_name, metadata,
           created_at)
         VALUES (:key, :id, :id, :sequence, :type, :content, :sender, :senderDisplayName, :metadata, :now)`,
        {
          key,
          id,
          sequence,
          type,
          content: isOfUser(type) ? (content.message ?? '') : JSON.stringify(content),
          sender: sender ?? null,
          senderDisplayName: senderDisplayName ?? null,
          metadata: toColumn(metadata),
          now,
        },
      )
      return {
        id: String(id),
        version: String(id),
        sequenceId: sequence,
        type,
        content,
        sender,
        senderDisplayName,
        metadata,
        createdAt: now,
        editedAt: undefined,
        deletedAt: undefined,
      }
    })
  }

  function find(key: number, id: string): ChatMessage | undefined {
    const row = store.get<MessageRow>('SELECT * FROM chat_message WHERE thread = ? AND id = ?', key, Number(id))
    return row && toMessage(row)
  }

  /** Returns the last text or HTML message of a thread. */
  function findLast(key: number): ChatMessage | undefined {
    const sql = `SELECT * FROM chat_message WHERE thread = ? AND type IN ('text', 'html') ORDER BY id DESC LIMIT 1`
    const row = store.get<MessageRow>(sql, key)
    return row && toMessage(row)
  }

  /** Lists messages that were created since `from`, newest first. */
  function list(key: number, page: { from: number; before?: number; limit?: number }): ChatMessage[] {
    const { from, before = Number.MAX_SAFE_INTEGER, limit = -1 } = page
    const rows = store.all<MessageRow>(
      `SELECT * FROM chat_message WHERE thread = :key AND id < :before AND created_at >= :from
       ORDER BY id DESC LIMIT :limit`,
      { key, before, from, limit },
    )
    return rows.map(toMessage)
  }

  /** Stores a changed message of a user. */
  function replace(key: number, message: ChatMessage): void {
    const { id, version, content, metadata, editedAt, deletedAt } = message
    store.run(
      `UPDATE chat_message SET version = :version, content = :content, metadata = :metadata, edited_at = :editedAt,
         deleted_at = :deletedAt WHERE thread = :key AND id = :id`,
      {
        key,
        id: Number(id),
        version: Number(version),
        content: content.message ?? '',
        metadata: toColumn(metadata),
        editedAt: editedAt ?? null,
        deletedAt: deletedAt ?? null,
      },
    )
  }

  /** Stores the read receipt of a user, and returns whether it is for a later message than the last one. */
  function putReceipt(key: number, { communicationUserId: user, messageId, readAt }: ChatReadReceipt): boolean {
    const stored = store.get(
      `INSERT INTO chat_receipt (thread, user, message, read_at) VALUES (:key, :user, :message, :readAt)
       ON CONFLICT DO UPDATE SET message = excluded.message, read_at = excluded.read_at
       WHERE excluded.message > chat_receipt.message RETURNING message`,
      { key, user, message: Number(messageId), readAt },
    )
    return stored !== undefined
  }

  /** Lists the last read receipt of each user. */
  function listReceipts(key: number, { limit, skip }: { limit: number; skip: number }): ChatReadReceipt[] {
    const sql = 'SELECT * FROM chat_receipt WHERE thread = ? ORDER BY user LIMIT ? OFFSET ?'
    const rows = store.all<{ user: string; message: number; read_at: number }>(sql, key, limit, skip)
    return rows.map((row) => ({ communicationUserId: row.user, messageId: String(row.message), readAt: row.read_at }))
  }

  return { append, find, findLast, list, replace, putReceipt, listReceipts }
}

/** Whether users send messages of this type. */
export function isOfUser(type: ChatMessageType): boolean {
  return type === 'text' || type === 'html'
}

function toMessage(row: MessageRow): ChatMessage {
  return {
    id: String(row.id),
    version: String(row.version),
    sequenceId: row.sequence,
    type: row.type,
    content: toContent(row),
    sender: row.sender ?? undefined,
    senderDisplayName: row.sender_display_name ?? undefined,
    metadata: fromColumn(row.metadata),
    createdAt: row.created_at,
    editedAt: row.edited_at ?? undefined,
    deletedAt: row.deleted_at ?? undefined,
  }
}

function toContent({ type, content, deleted_at: deletedAt }: MessageRow): ChatMessageContent {
  if (deletedAt !== null) return {}
  return isOfUser(type) ? { message: content } : (JSON.parse(content) as ChatMessageContent)
}
