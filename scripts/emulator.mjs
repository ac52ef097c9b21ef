// `pnpm emulator`: removes the folders that pnpm and npm put in front of PATH, so that `exec` runs the caller's own programs.
import { delimiter, dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Whether a package manager added it: its helper for native builds, or programs of this workspace or a folder around it. */
function isAdded(folder) {
  const parent = dirname(dirname(folder))
  const isAround = root === parent || root.startsWith(parent.endsWith(sep) ? parent : parent + sep)
  return folder.endsWith('node-gyp-bin') || (isAround && folder === join(parent, 'node_modules', '.bin'))
}

if (process.env.npm_lifecycle_event !== undefined) {
  const folders = process.env.PATH.split(delimiter)
  while (folders.length > 0 && isAdded(folders[0])) folders.shift()
  process.env.PATH = folders.join(delimiter)
}
await import('../packages/communication-emulator/src/bin.mjs')
