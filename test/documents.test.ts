import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const scriptsOf = (path: string) =>
  Object.keys((JSON.parse(read(path)) as { scripts?: Record<string, string> }).scripts ?? {})
const rooms = globSync(['{apps,packages}/*/package.json', 'infra/package.json'], { cwd: root })
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  ...globSync(['{apps,packages}/*/README.md', 'infra/*.md'], { cwd: root }),
]

describe.each(documents)('%s', (path) => {
  const text = read(path)

  it('names only commands that there are', () => {
    const code = [...text.matchAll(/```sh\n([^]*?)```|`([^`\n]+)`/g)]
      .map(([, block, span]) => block ?? span!)
      .join('\n')
    const named = [...code.matchAll(/(?<!npx )\b(?:pnpm|npm run|npm(?= (?:start|test)\b)) ([a-z][\w:]*)/g)].map(
      ([, script]) => script!,
    )
    // CONTRIBUTING also says what to run in a room's folder, a room's README only what its own has.
    const manifests = path === 'CONTRIBUTING.md' ? rooms : [join(dirname(path), 'package.json')]
    const known = new Set(['install', 'add', 'exec', 'dlx', ...['package.json', ...manifests].flatMap(scriptsOf)])
    expect(named.filter((script) => !known.has(script))).toEqual([])
  })

  it('links to what there is', () => {
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [file, anchor] = target!.split('#')
      const linked = file === '' ? path : join(dirname(path), file!)
      expect(existsSync(join(root, linked)), target).toBe(true)
      const headings = [...read(linked).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
        heading!.toLowerCase().replaceAll(' ', '-'),
      )
      if (anchor !== undefined) expect(headings, target).toContain(anchor)
    }
  })
})

it('CI runs the same command as everybody else', () => {
  const workflows = globSync('.github/workflows/*.{yml,yaml}', { cwd: root })
  expect(workflows).not.toEqual([])
  for (const workflow of workflows) expect(read(workflow), workflow).toMatch(/^\s+(?:- )?run: \.ci\/run$/m)
  expect(read('.ci/run')).toMatch(/^npm test$/m)
  expect(read('README.md')).toMatch(/^npm test\b/m)
})

it('pnpm-workspace.yaml says why for each of its policies', () => {
  expect(findUnexplained(read('pnpm-workspace.yaml'))).toEqual([])
})

/** The lines that lack a comment: right above an exception, or at the head of its paragraph for anything else. */
function findUnexplained(yaml: string): string[] {
  const isComment = (line = '') => line.trimStart().startsWith('#')
  return yaml.split(/\n{2,}/).flatMap((paragraph) => {
    const lines = paragraph.trimEnd().split('\n')
    let key = ''
    return lines.filter((line, index) => {
      if (isComment(line)) return false
      const isTop = !line.startsWith(' ')
      if (isTop) key = line.split(':')[0]!
      const isException = key === 'allowBuilds' || key === 'overrides'
      if (isException) return !isTop && !isComment(lines[index - 1])
      return key !== 'packages' && !isComment(lines[0])
    })
  })
}
