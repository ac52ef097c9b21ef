import { execFile } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

/**
 * Packs a copy of a package within an empty folder, since packing with npm replaces package.json for a moment. Returns the
 * path of the tarball.
 */
export async function packCopy(packageFolder: string, packageManager: string, folder: string): Promise<string> {
  const workspace = join(packageFolder, '../..')
  const copy = join(folder, 'packages', basename(packageFolder))
  for (const file of ['package.json', 'pnpm-workspace.yaml', 'tsconfig.base.json', 'LICENSE', 'scripts/pack.mjs'])
    cpSync(join(workspace, file), join(folder, file))
  const manifest = readFileSync(join(packageFolder, 'package.json'), 'utf8')
  const { name, version, files } = JSON.parse(manifest) as Record<'name' | 'version', string> & { files: string[] }
  // Folders that are packed as they are.
  const folders = files.filter((file) => file !== 'dist' && !file.startsWith('!'))
  for (const file of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'README.md', 'src', ...folders])
    cpSync(join(packageFolder, file), join(copy, file), { recursive: true })
  symlinkSync(join(workspace, 'node_modules'), join(folder, 'node_modules'))
  symlinkSync(join(packageFolder, 'node_modules'), join(copy, 'node_modules'))
  await promisify(execFile)(packageManager, ['pack', '--pack-destination', folder], { cwd: copy })
  if (readFileSync(join(copy, 'package.json'), 'utf8') !== manifest)
    throw new Error(`${packageManager} pack changed package.json: postpack must restore it`)
  return join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
}
