import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'

/**
 * Packs a copy of a package within an empty folder, since packing with npm replaces package.json for a moment. `inlined` are the
 * private packages that its tarball contains. Returns the path of the tarball.
 */
export async function packCopy(
  packageFolder: string,
  packageManager: string,
  folder: string,
  inlined: readonly string[] = [],
): Promise<string> {
  const workspace = join(packageFolder, '../..')
  for (const file of ['package.json', 'pnpm-workspace.yaml', 'tsconfig.base.json', 'LICENSE', 'scripts/pack.mjs'])
    cpSync(join(workspace, file), join(folder, file))
  symlinkSync(join(workspace, 'node_modules'), join(folder, 'node_modules'))
  const manifest = readFileSync(join(packageFolder, 'package.json'), 'utf8')
  const { name, version, files } = JSON.parse(manifest) as Record<'name' | 'version', string> & { files: string[] }
  const copy = copyPackage(packageFolder)
  for (const each of inlined) copyPackage(join(workspace, each))
  await promisify(execFile)(packageManager, ['pack', '--pack-destination', folder], { cwd: copy })
  if (readFileSync(join(copy, 'package.json'), 'utf8') !== manifest)
    throw new Error(`${packageManager} pack changed package.json: postpack must restore it`)
  return join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)

  function copyPackage(source: string): string {
    const target = join(folder, relative(workspace, source))
    mkdirSync(target, { recursive: true })
    // The output of the compiler is not copied; other packed folders are packed as they are.
    const packed = files.filter((file) => !['dist', 'lib'].includes(file) && !file.startsWith('!'))
    const sources = [
      'package.json',
      'tsconfig.json',
      'tsconfig.build.json',
      'README.md',
      'openapi.json',
      'src',
      ...packed,
    ]
    for (const file of sources.filter((each) => existsSync(join(source, each))))
      cpSync(join(source, file), join(target, file), { recursive: true })
    symlinkSync(join(source, 'node_modules'), join(target, 'node_modules'))
    return target
  }
}
