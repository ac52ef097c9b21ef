// `pnpm emulator`: restores the caller's folder and environment, which pnpm and npm change, so that `exec` runs programs like the
// caller's shell.
import { delimiter, dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Whether a package manager added a folder to PATH: its helper for native builds, or programs of this workspace or a parent folder. */
function isAdded(folder) {
  const parent = dirname(dirname(folder))
  const isAround = root === parent || root.startsWith(parent.endsWith(sep) ? parent : parent + sep)
  return folder.endsWith('node-gyp-bin') || (isAround && folder === join(parent, 'node_modules', '.bin'))
}

/** Variables about the script, its package and its Node. Settings of npm are kept, since they may be the caller's own. */
const added =
  /^(?:NODE|INIT_CWD|PNPM_SCRIPT_SRC_DIR|pnpm_config_verify_deps_before_run|npm_(?:command|execpath|node_execpath|lifecycle_.*|package_.*|config_(?:user_agent|node_gyp|npm_version|(?:local|global)_prefix)))$/

if (process.env.npm_lifecycle_event !== undefined) {
  const { env } = process
  if (env.INIT_CWD) {
    process.chdir(env.INIT_CWD)
    env.PWD = env.INIT_CWD
  }
  const folders = env.PATH.split(delimiter)
  while (folders.length > 0 && isAdded(folders[0])) folders.shift()
  env.PATH = folders.join(delimiter)
  for (const name of Object.keys(env)) if (added.test(name)) delete env[name]
  const modules = (env.NODE_PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder && !resolve(folder).startsWith(root + sep))
  if (modules.length > 0) env.NODE_PATH = modules.join(delimiter)
  else delete env.NODE_PATH
}
await import('../packages/communication-emulator/src/bin.mjs')
