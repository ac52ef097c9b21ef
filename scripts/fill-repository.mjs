// Fills in the GitHub repository that publishes, which the sources do not know, in all published packages: `repository` in
// package.json, which npm compares with the provenance, and absolute links in READMEs, because npm shows them elsewhere.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_SHA } = process.env
const repository = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`

for (const path of globSync('{apps,packages}/*/package.json')) {
  const manifest = JSON.parse(readFileSync(path, 'utf8'))
  if (manifest.private) continue
  const directory = dirname(path)
  manifest.repository = { type: 'git', url: `git+${repository}.git`, directory }
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`)

  const readme = join(directory, 'README.md')
  const base = `${repository}/blob/${GITHUB_SHA}/${directory}/`
  const text = readFileSync(readme, 'utf8')
  writeFileSync(
    readme,
    text.replaceAll(/(?<=\]\()(?!https?:|#)[^)]+/g, (link) => new URL(link, base).href),
  )
}
