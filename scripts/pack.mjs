// `prepack` and `postpack` of a published package, for pnpm and npm. pnpm applies `publishConfig` and the catalog's versions by
// itself; npm packs package.json as it is, so for npm the file is replaced by pnpm's version while it packs.
import { execSync } from 'node:child_process'
import { renameSync, rmSync } from 'node:fs'
import { basename } from 'node:path'

const original = 'package.workspace.json'
// Not npm_config_user_agent: npm keeps that of a pnpm script that runs it.
const isNpm = basename(process.env.npm_execpath ?? '').startsWith('npm')

if (process.env.npm_lifecycle_event === 'prepack') {
  rmSync('dist', { recursive: true, force: true })
  execSync('tsc -p tsconfig.build.json', { stdio: 'inherit' })
  if (isNpm) {
    const tarball = 'package.npm.tgz'
    execSync(`pnpm pack --ignore-scripts --out ${tarball}`)
    renameSync('package.json', original)
    execSync(`tar -xzf ${tarball} --strip-components 1 package/package.json package/LICENSE`)
    rmSync(tarball)
  }
} else if (isNpm) {
  renameSync(original, 'package.json')
  rmSync('LICENSE')
}
