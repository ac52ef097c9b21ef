import { randomUUID } from 'node:crypto'
import { constants, lstatSync, type Stats } from 'node:fs'
import { link, lstat, mkdir, open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { parseJson } from '@acs-kit/service-settings/parse-json'

export interface Progress {
  readonly rows: number
  /** Where the next page starts. */
  readonly continuationToken?: string | undefined
  /** Whether all pages are written. */
  readonly isLast: boolean
}

interface Checkpoint extends Progress {
  /** Description of the content. A file with another description is not continued. */
  readonly content: string
  readonly bytes: number
  /** Process that continues the file. An earlier one stops. */
  readonly owner: string
}

const mode = 0o600
const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants

/**
 * A new file that only its owner can read. Until it is complete, it is in the folder FILE.partial, to which others have no
 * access. After a crash, the next `open` continues after the last `append`.
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

  /**
   * Throws if the file exists, or if its partial file has other content or is accessible to others.
   *
   * @param startsOver discards what an earlier process wrote
   */
  static async open(path: string, content: string, { startsOver = false } = {}): Promise<ResumableFile> {
    rejectExisting(path)
    await using parts = new AsyncDisposableStack()
    try {
      const isNew = await createFolder(path)
      const found = isNew ? undefined : await readCheckpoint(path)
      if (found && found.content !== content) throw reject(path, `belongs to a different export (${found.content})`)
      if (!isNew && !found) throw reject(path, 'cannot be continued')
      // In a folder that others can write to, the partial folder itself may have been replaced.
      const flags = isNew ? O_CREAT | O_EXCL : O_NOFOLLOW
      const file = parts.use(await open(rowsPath(path), O_RDWR | flags, mode))
      const stats = await file.stat()
      if (found && !isPrivate(stats)) throw reject(path, 'is not yours alone')
      // A link from elsewhere is that of a complete file.
      if (found && (stats.size < found.bytes || stats.nlink > 1)) throw reject(path, 'cannot be continued')
      const checkpoint = { content, bytes: 0, rows: 0, isLast: false, ...(!startsOver && found), owner: randomUUID() }
      await writeCheckpoint(path, checkpoint)
      parts.move()
      return new ResumableFile(path, file, checkpoint, stats.mtime)
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
      await writeFully(this.#file, data, bytes)
      await this.#file.datasync()
      await writeCheckpoint(this.#path, next)
    } catch (cause) {
      const failure = `writing ${partialPath(this.#path)} failed, correct this and run the command again`
      throw new Error(`${failure}: ${(cause as Error).message}`, { cause })
    }
    this.#checkpoint = next
  }

  /** Gives the file its name. Throws if that exists by now. */
  async complete(): Promise<void> {
    await this.#requireOwnership()
    // An interrupted call may have written more.
    await this.#file.truncate(this.#checkpoint.bytes)
    await this.#file.sync()
    // Unlike `rename`, it never replaces a file.
    await link(rowsPath(this.#path), this.#path).catch((cause: Error) => {
      rejectExisting(this.#path)
      throw new Error(`${rowsPath(this.#path)} is complete, but cannot be moved: move it: ${cause.message}`, {
        cause,
      })
    })
    await rm(partialPath(this.#path), { recursive: true, force: true })
  }

  /** Throws if another process has opened the file since. */
  async #requireOwnership(): Promise<void> {
    if (await this.#isOwner()) return
    throw new Error(`another process continues the export to ${this.#path}: wait until it ends`)
  }

  async #isOwner(): Promise<boolean> {
    return (await readCheckpoint(this.#path))?.owner === this.#checkpoint.owner
  }

  /** Closes the file. Without content, nothing remains of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
    if (this.#checkpoint.bytes > 0 || !(await this.#isOwner())) return
    await rm(partialPath(this.#path), { recursive: true, force: true })
  }
}

/** Throws if the file exists. */
export function rejectExisting(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }))
    throw new Error(`${path} already exists: choose the name of a new file`)
}

/** Creates the folder of the partial file. Returns false if it exists. Throws if others may have access to it. */
async function createFolder(path: string): Promise<boolean> {
  try {
    await mkdir(partialPath(path), { mode: 0o700 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const stats = await lstat(partialPath(path))
  if (!isPrivate(stats)) throw reject(path, 'is not yours alone')
  if (!stats.isDirectory()) throw reject(path, 'cannot be continued')
  return false
}

/** Whether only this user has access. Windows does not report that. */
function isPrivate({ uid, mode }: Stats): boolean {
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0)
}

function reject(path: string, reason: string): Error {
  return new Error(`${partialPath(path)} ${reason}: delete it or choose another file`)
}

/** Returns undefined if it is missing or damaged. */
async function readCheckpoint(path: string): Promise<Checkpoint | undefined> {
  const text = await readFile(checkpointPath(path), 'utf8').catch(() => '')
  return parseJson(text) as Checkpoint | undefined
}

async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const draft = `${checkpointPath(path)}.new`
  await rm(draft, { force: true })
  await writeFile(draft, JSON.stringify(checkpoint), { mode, flag: 'wx' })
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

function rowsPath(path: string): string {
  return join(partialPath(path), 'rows')
}

function checkpointPath(path: string): string {
  return join(partialPath(path), 'checkpoint.json')
}
