// Publishes the package in this folder without uploading it, after `pnpm pack` has compiled it, and checks what npm would get.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const published =
  /^(?:(?:dist|lib)\/.+\.(?:m?js|d\.m?ts|json)|page\/[\w-]+\.(?:mjs|html|css|svg)|(?:CHANGELOG|README)\.md|LICENSE|package\.json)$/
const manifest = readJson('package.json')
const isPrivate = ([name, range]) =>
  range.startsWith('workspace:') && readJson(`node_modules/${name}/package.json`).private

const { status, stdout, stderr } = spawnSync(
  'pnpm',
  ['publish', '--dry-run', '--json', '--no-git-checks', '--ignore-scripts'],
  { encoding: 'utf8', shell: process.platform === 'win32' },
)
const files = status === 0 ? JSON.parse(stdout).files.map(({ path }) => path) : []
const issues = [
  ...(status === 0 ? [] : [`not publishable: ${stderr || stdout}`]),
  ...files
    .filter((path) => !published.test(path))
    .map((path) => `${path} must not be published: exclude it in \`files\``),
  ...['description', 'keywords', 'license', 'engines', 'sideEffects', 'exports']
    .filter((key) => !(key in manifest))
    .map((key) => `\`${key}\` is missing in package.json: add it`),
  ...['access', 'provenance']
    .filter((key) => !(key in manifest.publishConfig))
    .map((key) => `\`publishConfig.${key}\` is missing in package.json: add it`),
  ...Object.entries(manifest.dependencies ?? {})
    .filter(isPrivate)
    .map(([name]) => `${name} is private, and not on npm: remove it from \`dependencies\``),
  ...(files.includes('CHANGELOG.md') && readFileSync('CHANGELOG.md', 'utf8').includes(`\n## ${manifest.version}\n`)
    ? []
    : [`the changelog of ${manifest.version} is missing: add it to CHANGELOG.md, and the file to \`files\``]),
]
for (const issue of issues) process.stderr.write(`${manifest.name}: ${issue}\n`)
process.exitCode = issues.length > 0 ? 1 : 0

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}
