import { drawRandom } from '../random.ts'
import type { Store } from '../store.ts'
import { deleteAllChat } from './chat-schema.ts'
import type { ChatParticipant, ChatThread } from './chat-thread.ts'

/** A thread with its row id. */
export interface StoredThread {
  readonly key: number
  readonly thread: ChatThread
  /** Time of the last message of a user; undefined without one. */
  readonly lastMessageAt: number | undefined
  readonly deletedAt: number | undefined
}

/** A thread and one of its participants. */
export interface Membership extends StoredThread {
  readonly participant: ChatParticipant
}

interface ThreadRow {
  readonly id: number
  readonly resource_name: string
  readonly thread_id: string
  readonly topic: string
  readonly metadata: string | null
  readonly created_at: number
  readonly created_by: string
  readonly retention_days: number | null
  /** 0 without a message of a user. */
  readonly last_message_at: number
  readonly deleted_at: number | null
}

interface ParticipantRow {
  readonly user: string
  readonly display_name: string | null
  readonly share_history_from: number
  readonly metadata: string | null
}

/** Members of a thread that can change. */
export type ThreadChange = Partial<Pick<ChatThread, 'topic' | 'metadata' | 'retentionDays'>>

const dayMs = 24 * 60 * 60_000

const selectThreads = `SELECT chat_thread.*, resource.name AS resource_name
  FROM chat_thread JOIN resource ON resource.id = chat_thread.resource`

export type ChatThreads = ReturnType<typeof createChatThreads>

/** The chat threads of all resources, with their participants. */
export function createChatThreads(store: Store) {
  /** Time of the next deletion; undefined after a change. */
  let nextDeletion: number | undefined

  function insert(
    thread: Pick<ChatThread, 'topic' | 'createdAt' | 'createdBy' | 'metadata' | 'retentionDays'> & {
      readonly resourceId: number
      readonly repeatabilityId: string | undefined
    },
  ): StoredThread {
    const { resourceId, topic, metadata, createdAt, createdBy, repeatabilityId, retentionDays } = thread
    const threadId = createThreadId()
    nextDeletion = undefined
    store.run(
      `INSERT INTO chat_thread (resource, thread_id, topic, metadata, created_at, created_by, repeatability_id,
         retention_days, delete_at, last_sequence, last_version, last_message_at)
       VALUES (:resourceId, :threadId, :topic, :metadata, :createdAt, :createdBy, :repeatabilityId,
         :retentionDays, :deleteAt, 0, 0, 0)`,
      {
        resourceId,
        threadId,
        topic,
        metadata: toColumn(metadata),
        createdAt,
        createdBy,
        repeatabilityId: repeatabilityId ?? null,
        retentionDays: retentionDays ?? null,
        deleteAt: getDeletionTime(createdAt, retentionDays),
      },
    )
    return find(threadId)!
  }

  /** Returns a thread, by default unless it was deleted. */
  function find(threadId: string, { orDeleted = false } = {}): StoredThread | undefined {
    const row = store.get<ThreadRow>(`${selectThreads} WHERE thread_id = ?`, threadId)
    return row && (orDeleted || row.deleted_at === null) ? toStored(row) : undefined
  }

  /** Returns the thread that a user created with a repeatability id. */
  function findRepeated(createdBy: string, repeatabilityId: string): StoredThread | undefined {
    const row = store.get<ThreadRow>(
      `${selectThreads} WHERE created_by = ? AND repeatability_id = ?`,
      createdBy,
      repeatabilityId,
    )
    return row && toStored(row)
  }

  /**
   * Lists the threads of a user that were active since `from`, newest first: also those that were deleted, and those from which
   * the user was removed.
   */
  function listOfUser(user: string, page: { from: number; before: number; limit: number }): StoredThread[] {
    const rows = store.all<ThreadRow>(
      `${selectThreads} JOIN chat_participant ON chat_participant.thread = chat_thread.id
       WHERE user = :user AND chat_thread.id < :before AND max(chat_thread.created_at, last_message_at) >= :from
       ORDER BY chat_thread.id DESC LIMIT :limit`,
      { user, ...page },
    )
    return rows.map(toStored)
  }

  /** Lists the threads with a participant, or all, oldest first. */
  function list(user: string | null): StoredThread[] {
    const rows = store.all<ThreadRow>(
      `${selectThreads} WHERE deleted_at IS NULL AND (:user IS NULL OR EXISTS (
         SELECT 1 FROM chat_participant WHERE thread = chat_thread.id AND user = :user AND NOT is_removed))
       ORDER BY chat_thread.id`,
      { user },
    )
    return rows.map(toStored)
  }

  /** Lists the threads whose retention ends by a time. */
  function listExpired(now: number): StoredThread[] {
    return store.all<ThreadRow>(`${selectThreads} WHERE delete_at <= ?`, now).map(toStored)
  }

  /** Returns when the retention of the next thread ends; infinity if none ends. */
  function getNextDeletion(): number {
    const sql = 'SELECT min(delete_at) AS at FROM chat_thread WHERE delete_at IS NOT NULL'
    return (nextDeletion ??= store.get<{ at: number | null }>(sql)?.at ?? Infinity)
  }

  function update({ key, thread, ...stored }: StoredThread, change: ThreadChange): StoredThread {
    const changed = { ...thread, ...change }
    const { topic, metadata, createdAt, retentionDays } = changed
    nextDeletion = undefined
    store.run(
      `UPDATE chat_thread SET topic = :topic, metadata = :metadata, retention_days = :retentionDays,
         delete_at = :deleteAt WHERE id = :key`,
      {
        key,
        topic,
        metadata: toColumn(metadata),
        retentionDays: retentionDays ?? null,
        deleteAt: getDeletionTime(createdAt, retentionDays),
      },
    )
    return { ...stored, key, thread: changed }
  }

  /** Returns a new version of a thread: the time, or more if the last version is not older. */
  function nextVersion(key: number, now: number): number {
    const sql =
      'UPDATE chat_thread SET last_version = max(last_version + 1, ?) WHERE id = ? RETURNING last_version AS at'
    return store.get<{ at: number }>(sql, now, key)!.at
  }

  /** Deletes the content of a thread. Its entry stays in the lists of its participants. */
  function remove({ key }: StoredThread, now: number): void {
    nextDeletion = undefined
    store.transaction(() => {
      store.run('DELETE FROM chat_message WHERE thread = ?', key)
      store.run('DELETE FROM chat_receipt WHERE thread = ?', key)
      store.run(
        'UPDATE chat_thread SET deleted_at = ?, metadata = NULL, repeatability_id = NULL, delete_at = NULL WHERE id = ?',
        now,
        key,
      )
    })
  }

  function clear(): void {
    nextDeletion = undefined
    store.transaction(() => deleteAllChat.forEach((sql) => store.run(sql)))
  }

  /** Lists participants in the order in which they were added. */
  function listParticipants(key: number, { limit = -1, skip = 0 } = {}): ChatParticipant[] {
    const sql = 'SELECT * FROM chat_participant WHERE thread = ? AND NOT is_removed ORDER BY id LIMIT ? OFFSET ?'
    return store.all<ParticipantRow>(sql, key, limit, skip).map(toParticipant)
  }

  function listUsers(key: number): string[] {
    const sql = 'SELECT user FROM chat_participant WHERE thread = ? AND NOT is_removed'
    return store.all<{ user: string }>(sql, key).map(({ user }) => user)
  }

  function findParticipant(key: number, user: string): ChatParticipant | undefined {
    const sql = 'SELECT * FROM chat_participant WHERE thread = ? AND user = ? AND NOT is_removed'
    const row = store.get<ParticipantRow>(sql, key, user)
    return row && toParticipant(row)
  }

  /** Adds a participant, or changes the display name and metadata of an existing one. */
  function putParticipant(key: number, participant: ChatParticipant): void {
    const { communicationUserId: user, displayName, shareHistoryFrom, metadata } = participant
    store.run(
      `INSERT INTO chat_participant (thread, user, display_name, share_history_from, metadata)
       VALUES (:key, :user, :displayName, :shareHistoryFrom, :metadata)
       ON CONFLICT DO UPDATE SET display_name = excluded.display_name, metadata = excluded.metadata, is_removed = 0,
         share_history_from = iif(is_removed, excluded.share_history_from, share_history_from)`,
      { key, user, displayName: displayName ?? null, shareHistoryFrom, metadata: toColumn(metadata) },
    )
  }

  function removeParticipant(key: number, user: string): void {
    store.run('UPDATE chat_participant SET is_removed = 1 WHERE thread = ? AND user = ?', key, user)
  }

  return {
    insert,
    find,
    findRepeated,
    listOfUser,
    list,
    listExpired,
    getNextDeletion,
    update,
    nextVersion,
    remove,
    clear,
    listParticipants,
    listUsers,
    findParticipant,
    putParticipant,
    removeParticipant,
  }
}

/** Returns an id with 32 random bytes and a `1`, in the form seen in 2025. Until 2024, ids had no `acsV2_`, or `acsV1_`. */
function createThreadId(): string {
  return `19:acsV2_${drawRandom(32).toString('base64url')}1@thread.v2`
}

function getDeletionTime(createdAt: number, retentionDays: number | undefined): number | null {
  return retentionDays === undefined ? null : createdAt + retentionDays * dayMs
}

function toStored(row: ThreadRow): StoredThread {
  const thread = {
    id: row.thread_id,
    resource: row.resource_name,
    topic: row.topic,
    createdAt: row.created_at,
    createdBy: row.created_by,
    metadata: fromColumn(row.metadata),
    retentionDays: row.retention_days ?? undefined,
  }
  return {
    key: row.id,
    thread,
    lastMessageAt: row.last_message_at || undefined,
    deletedAt: row.deleted_at ?? undefined,
  }
}

function toParticipant(row: ParticipantRow): ChatParticipant {
  return {
    communicationUserId: row.user,
    displayName: row.display_name ?? undefined,
    shareHistoryFrom: row.share_history_from,
    metadata: fromColumn(row.metadata),
  }
}

type Metadata = Readonly<Record<string, string>> | undefined

export function toColumn(metadata: Metadata): string | null {
  return metadata ? JSON.stringify(metadata) : null
}

export function fromColumn(column: string | null): Metadata {
  return column === null ? undefined : (JSON.parse(column) as Metadata)
}
