import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'

interface Update {
  readonly 'package-ecosystem': string
  readonly directory?: string
  readonly directories?: readonly string[]
  readonly cooldown: { readonly 'default-days': number }
}

const root = join(import.meta.dirname, '..')
const readYaml = (path: string) => parse(readFileSync(join(root, path), 'utf8')) as unknown
const { updates } = readYaml('.github/dependabot.yml') as { updates: readonly Update[] }

it('waits as long as the workspace, in minutes and in days', () => {
  const { minimumReleaseAge } = readYaml('pnpm-workspace.yaml') as { minimumReleaseAge: number }
  for (const { cooldown } of updates) expect(cooldown['default-days'] * 24 * 60).toBe(minimumReleaseAge)
})

it('covers each file that pins versions', () => {
  const ecosystems = {
    npm: 'pnpm-workspace.yaml',
    'github-actions': '.github/workflows/*.yml',
    gomod: '**/go.mod',
    pip: '**/requirements*.txt',
    maven: '**/pom.xml',
  }
  const pinned = Object.entries(ecosystems).flatMap(([ecosystem, pattern]) =>
    globSync(pattern, { cwd: root, exclude: ['**/node_modules'] }).map((path) =>
      // Dependabot knows where workflows are.
      ecosystem === 'github-actions' ? `${ecosystem} /` : `${ecosystem} ${join('/', dirname(path))}`,
    ),
  )
  const covered = updates.flatMap(({ directory, directories = [directory!], 'package-ecosystem': ecosystem }) =>
    directories.map((folder) => `${ecosystem} ${folder}`),
  )
  expect(covered.toSorted()).toEqual([...new Set(pinned)].toSorted())
})

it.each([
  ['accepts', 'Signed-off-by: dependabot[bot] <support@github.com>', 0],
  ['rejects', 'Signed-off-by: Alice <alice@example.com>', 1],
])('%s a long header of a commit with "%s"', (_, trailer, status) => {
  const message = `build(deps): bump @azure/communication-identity from 1.3.1 to 1.4.0 in the npm group\n\nBumps it.\n\n${trailer}\n`
  expect(spawnSync(join(root, 'node_modules/.bin/commitlint'), { cwd: root, input: message }).status).toBe(status)
})
