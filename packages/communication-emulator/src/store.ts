import { chmodSync, closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { KeySlot } from './access-key.ts'
import { chatSchema } from './chat/chat-schema.ts'
import { UnusableFolderError } from './unusable-folder-error.ts'

export interface IdentityRow {
  readonly id: number
  readonly resource: number
  /** Part of the communication user id's suffix after the counter; for an Entra ID user, the whole suffix. */
  readonly tail: string
  readonly custom_id: string | null
  readonly created_at: number
  readonly tokens_valid_from: number
}

/** An issued token. Its text follows from its claims, since RS256 signatures are deterministic. */
export interface TokenRow {
  readonly identity: number
  readonly iat: number
  readonly exp: number
  readonly scopes: string
  readonly access_key: number
  /** Time in milliseconds; `iat` has only seconds. */
  readonly issued_at: number
  readonly revoked: 0 | 1
}

export interface ResourceRow {
  readonly id: number
  readonly name: string
  readonly immutable_id: string
  readonly data_location: string
}

export interface AccessKeyRow {
  readonly id: number
  readonly resource: number
  readonly slot: KeySlot
  readonly value: string
}

/** Permission of an Entra ID user, group, tenant or resource account to get tokens of a resource. */
export interface AssignmentRow {
  readonly resource: number
  readonly kind: 'teamsExtension' | 'entra'
  readonly tenant_id: string
  readonly object_id: string
  readonly principal_type: string
  /** JSON array, or null if absent. */
  readonly client_ids: string | null
}

/** Values of a statement's parameters, by position or by name. */
type Values = SQLInputValue[] | [Readonly<Record<string, SQLInputValue>>]

/** Version of the tables; increase it with every incompatible change. */
const schemaVersion = 1

// AUTOINCREMENT never reuses ids: otherwise a token of a regenerated access key could become valid again.
const schema = `
  PRAGMA user_version = ${schemaVersion};
  CREATE TABLE IF NOT EXISTS resource (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, immutable_id TEXT NOT NULL UNIQUE,
    data_location TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS access_key (
    id INTEGER PRIMARY KEY AUTOINCREMENT, resource INTEGER NOT NULL, slot TEXT NOT NULL, value TEXT NOT NULL,
    UNIQUE (resource, slot)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS identity (
    id INTEGER PRIMARY KEY, resource INTEGER NOT NULL, tail TEXT NOT NULL, custom_id TEXT,
    created_at INTEGER NOT NULL, tokens_valid_from INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS identity_custom_id ON identity (resource, custom_id) WHERE custom_id IS NOT NULL;
  CREATE UNIQUE INDEX IF NOT EXISTS identity_entra_user ON identity (resource, tail) WHERE instr(tail, '_');
  CREATE TABLE IF NOT EXISTS assignment (
    resource INTEGER NOT NULL, kind TEXT NOT NULL, tenant_id TEXT NOT NULL, object_id TEXT NOT NULL,
    principal_type TEXT NOT NULL, client_ids TEXT, PRIMARY KEY (resource, kind, object_id, tenant_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS assignment_tenant ON assignment (resource, kind, tenant_id) WHERE principal_type = 'tenant';
  CREATE TABLE IF NOT EXISTS token (
    identity INTEGER NOT NULL, iat INTEGER NOT NULL, exp INTEGER NOT NULL, scopes TEXT NOT NULL,
    access_key INTEGER NOT NULL, issued_at INTEGER NOT NULL, revoked INTEGER NOT NULL,
    PRIMARY KEY (identity, iat, exp, scopes)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS arm_resource (
    key TEXT PRIMARY KEY, id TEXT NOT NULL, envelope TEXT NOT NULL, ready_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS entra_signing_key (id INTEGER PRIMARY KEY AUTOINCREMENT, pem TEXT NOT NULL) STRICT;
  ${chatSchema}
`

/**
 * The emulator's state in SQLite, in memory or in a folder. In a folder, changes reach the operating system before the response
 * is sent: they survive a killed process, but the last ones may not survive a power failure.
 */
export class Store implements Disposable {
  /** Called when tokens may have become invalid before their expiry, perhaps within a transaction. */
  onTokensRejected: () => void = () => {}
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  /** Throws an `UnusableFolderError`. The folder must exist. */
  constructor(directory?: string) {
    // Not imported, so that older versions of Node get as far as `require-node.mjs`.
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
    if (directory === undefined) {
      this.#database = new DatabaseSync(':memory:')
      this.#database.exec(schema)
      return
    }
    const file = join(directory, 'emulator.sqlite')
    let database: DatabaseSync | undefined
    try {
      // It contains access keys, so only its owner may read it, whatever the mode of the folder.
      closeSync(openSync(file, 'a', 0o600))
      chmodSync(file, 0o600)
      this.#database = database = new DatabaseSync(file)
      const found = (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
      if (found !== 0 && found !== schemaVersion)
        throw new Error(`another version of the emulator created it (schema ${found})`)
      // Exclusive, so that a second emulator with the same folder fails now, not later.
      const pragmas = 'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;'
      database.exec(`${pragmas} BEGIN IMMEDIATE; ${schema} COMMIT;`)
    } catch (cause) {
      database?.close()
      const { message } = cause as Error
      const reason = `the data folder ${directory} cannot be used: ${message}: ${getRemedy(message)}`
      throw new UnusableFolderError(reason, ['dataFolder'], { cause })
    }
  }

  all<Row>(sql: string, ...values: Values): Row[] {
    return this.#prepare(sql).all(...(values as SQLInputValue[])) as Row[]
  }

  get<Row>(sql: string, ...values: Values): Row | undefined {
    return this.#prepare(sql).get(...(values as SQLInputValue[])) as Row | undefined
  }

  /** Returns the id of the inserted row. */
  run(sql: string, ...values: Values): { id: number } {
    const { lastInsertRowid } = this.#prepare(sql).run(...(values as SQLInputValue[]))
    return { id: Number(lastInsertRowid) }
  }

  /** Commits all changes of `work`, or none if it throws or the process is killed. A nested transaction joins the outer one. */
  transaction<Result>(work: () => Result): Result {
    if (this.#database.isTransaction) return work()
    this.#database.exec('BEGIN')
    try {
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      // SQLite rolls back by itself if the disk is full.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) this.#statements.set(sql, (statement = this.#database.prepare(sql)))
    return statement
  }
}

/** Returns what to do about an error of SQLite or of the file system. */
function getRemedy(message: string): string {
  if (/locked/.test(message)) return 'another emulator is using it: stop it, or choose another folder'
  if (/not a database|another version/.test(message)) return 'delete it, or choose another folder'
  if (/full|ENOSPC|EDQUOT/.test(message)) return 'free some disk space, or choose another folder'
  return 'choose a writable folder'
}
