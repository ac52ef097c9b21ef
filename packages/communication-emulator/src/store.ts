import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { KeySlot } from './access-key.ts'

export interface IdentityRow {
  readonly id: number
  readonly resource: number
  /** What follows the counter in the suffix of the communication user id. */
  readonly tail: string
  readonly custom_id: string | null
  readonly created_at: number
  readonly tokens_valid_from: number
}

/** Two tokens with these members in common are one and the same text, as RS256 always signs alike. */
export interface TokenRow {
  readonly identity: number
  readonly iat: number
  readonly exp: number
  readonly scopes: string
  readonly access_key: number
  /** Milliseconds, where `iat` has only seconds. */
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

/** To be raised with every change of the tables that older data folders do not fit. */
const schemaVersion = 1

// Ids of access keys are never used again (AUTOINCREMENT), or a token of a former key could come to life with a new one.
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
  CREATE TABLE IF NOT EXISTS token (
    identity INTEGER NOT NULL, iat INTEGER NOT NULL, exp INTEGER NOT NULL, scopes TEXT NOT NULL,
    access_key INTEGER NOT NULL, issued_at INTEGER NOT NULL, revoked INTEGER NOT NULL,
    PRIMARY KEY (identity, iat, exp, scopes)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS arm_resource (
    key TEXT PRIMARY KEY, id TEXT NOT NULL, envelope TEXT NOT NULL, ready_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS entra_signing_key (id INTEGER PRIMARY KEY AUTOINCREMENT, pem TEXT NOT NULL) STRICT;
`

/**
 * The emulator's state in SQLite: in memory, or in a folder. There every change is in the operating system's hands before
 * it is answered, so that a killed process loses nothing of it; only a power cut may cost the last moments.
 */
export class Store implements Disposable {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  /** Throws, with the reason, when the folder can't be used. */
  constructor(directory?: string) {
    if (directory === undefined) {
      this.#database = new DatabaseSync(':memory:')
      this.#database.exec(schema)
      return
    }
    const file = join(directory, 'emulator.sqlite')
    let database: DatabaseSync | undefined
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      // Access keys are in it: for its owner only, whoever made the folder.
      closeSync(openSync(file, 'a', 0o600))
      chmodSync(file, 0o600)
      this.#database = database = new DatabaseSync(file)
      const found = (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
      if (found !== 0 && found !== schemaVersion) throw new Error(`it is of another version of the emulator (${found})`)
      // Exclusive: a second emulator over the same folder is refused here, not puzzled later.
      const pragmas = 'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;'
      database.exec(`${pragmas} BEGIN IMMEDIATE; ${schema} COMMIT;`)
    } catch (cause) {
      database?.close()
      const { message } = cause as Error
      const remedy = /locked/.test(message)
        ? 'another emulator is using it'
        : /not a database|another version/.test(message)
          ? 'delete it, or choose another'
          : 'choose one that this user may write'
      throw new Error(`the data folder ${directory} can't be used: ${message}; ${remedy}`, { cause })
    }
  }

  all<Row>(sql: string, ...values: (string | number | null | Uint8Array)[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[]
  }

  get<Row>(sql: string, ...values: (string | number | null | Uint8Array)[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined
  }

  /** Returns the id of an inserted row, and how many rows changed. */
  run(sql: string, ...values: (string | number | null | Uint8Array)[]): { id: number; changes: number } {
    const { lastInsertRowid, changes } = this.#prepare(sql).run(...values)
    return { id: Number(lastInsertRowid), changes: Number(changes) }
  }

  /** All of it or nothing, also when the process is killed within. */
  transaction<Result>(work: () => Result): Result {
    this.#database.exec('BEGIN')
    try {
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      // A full disk rolls back by itself.
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
