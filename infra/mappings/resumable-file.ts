import { randomUUID } from 'node:crypto'
import { constants, existsSync, lstatSync } from 'node:fs'
import { link, open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { parseJson } from '@acs-kit/service-settings/parse-json'

export interface Progress {
  readonly rows: number
  /** Where the next page starts. */
  readonly continuationToken?: string | undefined
  /** Whether all pages are written. */
  readonly isLast: boolean
}

interface Checkpoint extends Progress {
  /** What the file contains; a file of anything else is not continued. */
  readonly content: string
  readonly bytes: number
  /** Process that continues the file. An earlier one stops. */
  readonly owner: string
}

const mode = 0o600

/**
 * A new file that only its owner can read. It has the name FILE.partial until it is complete. What it contained at the last
 * `append` survives a crash, and is continued by the next `open`.
 */
export class ResumableFile implements AsyncDisposable {
  readonly #path: string
  readonly #file: FileHandle
  #checkpoint: Checkpoint
  /** When an earlier process wrote to it. */
  readonly interruptedOn: Date

  private constructor(path: string, file: FileHandle, checkpoint: Checkpoint, interruptedOn: Date) {
    this.#path = path
    this.#file = file
    this.#checkpoint = checkpoint
    this.interruptedOn = interruptedOn
  }

  /** Throws if the file exists, or if its partial file has other content. */
  static async open(path: string, content: string): Promise<ResumableFile> {
    rejectExisting(path)
    const found = existsSync(partialPath(path)) ? await readCheckpoint(path) : undefined
    if (found && found.content !== content) {
      throw new Error(
        `${partialPath(path)} belongs to a different export (${found.content}): choose another file, or delete it`,
      )
    }
    await using parts = new AsyncDisposableStack()
    try {
      const file = parts.use(await open(partialPath(path), constants.O_RDWR | constants.O_CREAT, mode))
      const { size, mtime } = await file.stat()
      if (found ? size < found.bytes : size > 0)
        throw new Error(`${partialPath(path)} cannot be continued: choose another file, or delete it`)
      // A umask may have removed permissions, and an existing file may have more.
      await file.chmod(mode)
      const checkpoint = { content, bytes: 0, rows: 0, isLast: false, ...found, owner: randomUUID() }
      await writeCheckpoint(path, checkpoint)
      parts.move()
      return new ResumableFile(path, file, checkpoint, mtime)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === undefined) throw error
      throw new Error(`cannot write ${partialPath(path)}: choose another file: ${message}`, { cause: error })
    }
  }

  get progress(): Progress {
    return this.#checkpoint
  }

  /** Writes text, and then that the file contains it. */
  async append(text: string, progress: Progress): Promise<void> {
    await this.#requireOwnership()
    const data = Buffer.from(text)
    const { bytes } = this.#checkpoint
    const next = { ...this.#checkpoint, ...progress, bytes: bytes + data.length }
    try {
      // An interrupted call may have written a part of its text.
      await this.#file.truncate(bytes)
      await writeFully(this.#file, data, bytes)
      await this.#file.datasync()
      await writeCheckpoint(this.#path, next)
    } catch (cause) {
      const failure = `writing ${partialPath(this.#path)} failed, correct this and run the command again to continue`
      throw new Error(`${failure}: ${(cause as Error).message}`, { cause })
    }
    this.#checkpoint = next
  }

  /** Gives the file its name. Throws if that exists by now. */
  async complete(): Promise<void> {
    await this.#requireOwnership()
    await this.#file.sync()
    // Unlike `rename`, it never replaces a file.
    await link(partialPath(this.#path), this.#path).catch((cause: Error) => {
      rejectExisting(this.#path)
      throw new Error(`${partialPath(this.#path)} is complete, but cannot be renamed: rename it: ${cause.message}`, {
        cause,
      })
    })
    await rm(checkpointPath(this.#path), { force: true })
    await rm(partialPath(this.#path), { force: true })
  }

  /** Throws if another process has opened the file since. */
  async #requireOwnership(): Promise<void> {
    if ((await readCheckpoint(this.#path))?.owner === this.#checkpoint.owner) return
    throw new Error(`another process continues the export to ${this.#path}: wait until it ends`)
  }

  /** Closes the file. Without content, nothing remains of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
    if (this.#checkpoint.bytes > 0) return
    await rm(partialPath(this.#path), { force: true })
    await rm(checkpointPath(this.#path), { force: true })
  }
}

/** Throws if the file exists. */
export function rejectExisting(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }))
    throw new Error(`${path} already exists: choose the name of a new file`)
}

/** Returns undefined if it is missing or damaged. */
async function readCheckpoint(path: string): Promise<Checkpoint | undefined> {
  const text = await readFile(checkpointPath(path), 'utf8').catch(() => '')
  return parseJson(text) as Checkpoint | undefined
}

async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const draft = `${checkpointPath(path)}.new`
  await writeFile(draft, JSON.stringify(checkpoint), { mode })
  await rename(draft, checkpointPath(path))
}

async function writeFully(file: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let written = 0; written < data.length;) {
    const { bytesWritten } = await file.write(data, written, data.length - written, position + written)
    written += bytesWritten
  }
}

function partialPath(path: string): string {
  return `${path}.partial`
}

function checkpointPath(path: string): string {
  return `${path}.partial.json`
}
