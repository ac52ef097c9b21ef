import { existsSync } from 'node:fs'
import { open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'

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
}

/**
 * A new file that only its owner can read. It has the name FILE.partial until it is complete. What it contained at the last
 * `append` survives a crash, and is continued by the next `open`.
 */
export class ResumableFile implements AsyncDisposable {
  readonly #path: string
  readonly #file: FileHandle
  #checkpoint: Checkpoint

  private constructor(path: string, file: FileHandle, checkpoint: Checkpoint) {
    this.#path = path
    this.#file = file
    this.#checkpoint = checkpoint
  }

  /** Throws if the file exists, or if its partial file has other content. */
  static async open(path: string, content: string): Promise<ResumableFile> {
    rejectExisting(path)
    try {
      const found = await readCheckpoint(path, content)
      const checkpoint = found ?? { content, bytes: 0, rows: 0, isLast: false }
      if (!found) await writeCheckpoint(path, checkpoint)
      const file = await open(partialPath(path), found ? 'r+' : 'wx', 0o600)
      // After the checkpoint, a page may be incomplete.
      await file.truncate(checkpoint.bytes)
      return new ResumableFile(path, file, checkpoint)
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
    const { content, bytes } = this.#checkpoint
    const data = Buffer.from(text)
    await writeFully(this.#file, data, bytes)
    await this.#file.datasync()
    this.#checkpoint = { content, bytes: bytes + data.length, ...progress }
    await writeCheckpoint(this.#path, this.#checkpoint)
  }

  /** Gives the file its name. Throws if that exists by now. */
  async complete(): Promise<void> {
    await this.#file.sync()
    // Unlike `rename`, creating it never replaces a file.
    const created = await open(this.#path, 'wx', 0o600).catch(() => rejectExisting(this.#path))
    await created?.close()
    await rename(partialPath(this.#path), this.#path)
    await rm(checkpointPath(this.#path), { force: true })
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
  if (existsSync(path)) throw new Error(`${path} already exists: choose the name of a new file`)
}

async function readCheckpoint(path: string, content: string): Promise<Checkpoint | undefined> {
  if (!existsSync(partialPath(path)) || !existsSync(checkpointPath(path))) return undefined
  const checkpoint = JSON.parse(await readFile(checkpointPath(path), 'utf8')) as Checkpoint
  if (checkpoint.content === content) return checkpoint
  throw new Error(
    `${partialPath(path)} belongs to a different export (${checkpoint.content}): choose another file, or delete it`,
  )
}

async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const draft = `${checkpointPath(path)}.new`
  await writeFile(draft, JSON.stringify(checkpoint), { mode: 0o600 })
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
