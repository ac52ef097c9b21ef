// `prepack` and `postpack` of a published package, for pnpm and npm. pnpm applies `publishConfig` and the catalog's versions by
// itself; npm packs package.json as it is, so for npm the file is replaced by pnpm's version while it packs.
import { execSync } from 'node:child_process'
import { copyFileSync, existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'

const original = 'package.workspace.json'
// Not npm_config_user_agent: npm keeps that of a pnpm script that runs it.
const isNpm = basename(process.env.npm_execpath ?? '').startsWith('npm')

if (process.env.npm_lifecycle_event === 'prepack') {
  // Still there if npm was interrupted before `postpack`.
  if (existsSync(original)) renameSync(original, 'package.json')
  compile()
  if (isNpm) {
    const tarball = 'package.npm.tgz'
    execSync(`pnpm pack --ignore-scripts --out ${tarball}`)
    copyFileSync('package.json', original)
    execSync(`tar -xzf ${tarball} --strip-components 1 package/package.json package/LICENSE`)
    rmSync(tarball)
  }
} else if (isNpm) {
  renameSync(original, 'package.json')
  rmSync('LICENSE')
}

function compile() {
  const tsc = 'tsc -p tsconfig.build.json'
  const {
    outDir,
    rootDir,
    paths = {},
  } = JSON.parse(execSync(`${tsc} --showConfig`, { encoding: 'utf8' })).compilerOptions
  rmSync(outDir, { recursive: true, force: true })
  execSync(tsc, { stdio: 'inherit' })
  // `paths` are private packages, which are compiled into the output: their names become relative paths.
  const modules = Object.entries(paths).map(([name, [source]]) => ({
    specifier: new RegExp(`(?<=['"])${name}(?=['"])`, 'g'),
    output: join(outDir, relative(rootDir, source).replace(/\.ts$/, '.js')),
  }))
  if (modules.length === 0) return
  for (const file of globSync(`${outDir}/**/*.{js,d.ts}`)) {
    let text = readFileSync(file, 'utf8')
    for (const { specifier, output } of modules) text = text.replaceAll(specifier, relative(dirname(file), output))
    writeFileSync(file, text)
  }
}
