/** Tables of chat. Users are communication user ids; metadata is a JSON object. */
export const chatSchema = `
  CREATE TABLE IF NOT EXISTS chat_thread (
    id INTEGER PRIMARY KEY, resource INTEGER NOT NULL, thread_id TEXT NOT NULL UNIQUE, topic TEXT NOT NULL,
    metadata TEXT, created_at INTEGER NOT NULL, created_by TEXT NOT NULL, repeatability_id TEXT,
    retention_days INTEGER, delete_at INTEGER, deleted_at INTEGER, last_sequence INTEGER NOT NULL,
    last_version INTEGER NOT NULL, last_message_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS chat_thread_resource ON chat_thread (resource);
  CREATE INDEX IF NOT EXISTS chat_thread_delete_at ON chat_thread (delete_at) WHERE delete_at IS NOT NULL;
  CREATE UNIQUE INDEX IF NOT EXISTS chat_thread_repeatability ON chat_thread (created_by, repeatability_id)
    WHERE repeatability_id IS NOT NULL;
  CREATE TABLE IF NOT EXISTS chat_participant (
    id INTEGER PRIMARY KEY, thread INTEGER NOT NULL, user TEXT NOT NULL, display_name TEXT,
    share_history_from INTEGER NOT NULL, metadata TEXT, is_removed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (thread, user)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS chat_participant_user ON chat_participant (user);
  CREATE TABLE IF NOT EXISTS chat_message (
    thread INTEGER NOT NULL, id INTEGER NOT NULL, version INTEGER NOT NULL, sequence INTEGER NOT NULL,
    type TEXT NOT NULL, content TEXT NOT NULL, sender TEXT, sender_display_name TEXT, metadata TEXT,
    created_at INTEGER NOT NULL, edited_at INTEGER, deleted_at INTEGER, UNIQUE (thread, id)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS chat_receipt (
    thread INTEGER NOT NULL, user TEXT NOT NULL, message INTEGER NOT NULL, read_at INTEGER NOT NULL,
    PRIMARY KEY (thread, user)
  ) STRICT, WITHOUT ROWID;
`

/** Statement that deletes the rows of a table that belong to the threads of a resource. */
const deleteOfResource = (table: string) =>
  `DELETE FROM ${table} WHERE thread IN (SELECT id FROM chat_thread WHERE resource = ?)`

const threadTables = ['chat_participant', 'chat_message', 'chat_receipt']

/** Statements that delete the chat of a resource, whose row id is their parameter. */
export const deleteChatOfResource: readonly string[] = [
  ...threadTables.map(deleteOfResource),
  'DELETE FROM chat_thread WHERE resource = ?',
]

/** Statements that delete all chat. */
export const deleteAllChat: readonly string[] = [...threadTables, 'chat_thread'].map((table) => `DELETE FROM ${table}`)
