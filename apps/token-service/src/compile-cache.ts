import { lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Enables Node's compile cache, in a folder that no other user can change: Node runs what it reads there. Without such a folder,
 * the service starts without the cache. `NODE_COMPILE_CACHE` sets another folder.
 */
export function enablePrivateCompileCache(): void {
  // Undefined on Windows, whose permissions Node does not report.
  const uid = process.getuid?.()
  if (uid === undefined || getCompileCacheDir() !== undefined) return
  try {
    const folder = join(realpathSync(tmpdir()), `token-service-${uid}`)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (isPrivate(folder, uid)) enableCompileCache(folder)
  } catch {
    // The file system is read-only, for example.
  }
}

/** Returns whether only this user can write to the folder, and only this user and root can replace it. */
function isPrivate(folder: string, uid: number): boolean {
  const { mode, uid: owner } = lstatSync(folder)
  return owner === uid && (mode & 0o777) === 0o700 && isProtected(dirname(folder), uid)
}

/** Returns whether other users cannot rename what this user owns in the folder. They cannot where it is sticky, such as /tmp. */
function isProtected(folder: string, uid: number): boolean {
  const { mode, uid: owner } = lstatSync(folder)
  const isReplaceable = (mode & 0o022) !== 0 && (mode & 0o1000) === 0
  if (isReplaceable || (owner !== uid && owner !== 0)) return false
  const parent = dirname(folder)
  return parent === folder || isProtected(parent, uid)
}
