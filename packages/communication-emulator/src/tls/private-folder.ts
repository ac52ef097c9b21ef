import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { UnusableFolderError, type FolderChoice } from '../unusable-folder-error.ts'

/**
 * Runs `work` with the real path of a folder that only its owner can write to, after creating it if it is missing. Throws an
 * `UnusableFolderError` if the folder, or a file in it, cannot be used; `choices` are the means to choose another folder.
 */
export async function usePrivateFolder<Result>(
  path: string,
  choices: readonly FolderChoice[],
  work: (folder: string, choices: readonly FolderChoice[]) => Promise<Result>,
): Promise<Result> {
  try {
    createFolder(resolve(path))
    // The real path, because a link may point elsewhere later.
    const folder = realpathSync(path)
    checkPrivate(folder, choices)
    return await work(folder, choices)
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException
    if (syscall === undefined) throw error
    const remedy = /^(?:ENOSPC|EDQUOT)$/.test(code ?? '')
      ? 'free some disk space, or choose another folder'
      : 'choose a writable folder'
    throw new UnusableFolderError(`the folder ${path} cannot be used: ${message}: ${remedy}`, choices, { cause: error })
  }
}

/** Creates a folder and its parents. Node's `recursive` never returns where creating a folder fails with ENOENT, as in /proc. */
function createFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() || path === dirname(path)) return
  createFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process may have created it in the meantime.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

/** Throws an `UnusableFolderError` if other users could replace the files in an existing folder. */
export function checkPrivate(folder: string, choices: readonly FolderChoice[]): void {
  const stats = statSync(folder, { throwIfNoEntry: false })
  // Windows has no such owners and modes.
  if (stats === undefined || process.getuid === undefined) return
  const { uid, mode } = stats
  if (uid !== process.getuid()) {
    throw new UnusableFolderError(`${folder} belongs to another user: choose your own folder`, choices)
  }
  if ((mode & 0o022) !== 0) {
    throw new UnusableFolderError(
      `${folder} is writable by other users: run chmod go-w ${folder}, or choose another folder`,
      choices,
    )
  }
}

/**
 * Returns the path of a subfolder, after creating it with the files that `create` returns if it is missing. It appears complete
 * or not at all: if several processes create it at once, the first to rename its draft wins, and the others use that one.
 * Throws an `UnusableFolderError` if other users can write to it.
 */
export async function ensureSubfolder(
  parent: string,
  name: string,
  choices: readonly FolderChoice[],
  create: () => Promise<Record<string, string>>,
): Promise<string> {
  const folder = join(parent, name)
  if (!existsSync(folder)) createSubfolder(folder, await create())
  checkPrivate(folder, choices)
  return folder
}

function createSubfolder(folder: string, files: Record<string, string>): void {
  const draft = mkdtempSync(join(dirname(folder), `.${basename(folder)}-`))
  try {
    for (const [file, text] of Object.entries(files)) writeFileSync(join(draft, file), text, { mode: 0o600 })
    chmodSync(draft, 0o700)
    renameSync(draft, folder)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    const { code = '' } = error as NodeJS.ErrnoException
    if (!existsSync(folder) && !['EEXIST', 'ENOTEMPTY'].includes(code)) throw error
  }
}

/** Creates a file with `write`, unless it exists. It appears complete or not at all, even if several processes create it at once. */
export function ensureFile(path: string, write: (draft: string) => void): string {
  if (existsSync(path)) return path
  const draft = `${path}.${process.pid}`
  try {
    write(draft)
    renameSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
  return path
}

/** Deletes a folder. It is renamed first, so that another process finds either all of it or nothing. */
export function removeFolder(folder: string): void {
  if (!existsSync(folder)) return
  const removed = mkdtempSync(join(dirname(folder), '.removed-'))
  try {
    renameSync(folder, join(removed, 'folder'))
  } catch (error) {
    // Another process already removed it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  } finally {
    rmSync(removed, { recursive: true, force: true })
  }
}
