import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
const documents = ['README.md', 'CONTRIBUTING.md', ...globSync('packages/*/README.md', { cwd: root })]

describe.each(documents)('%s', (path) => {
  const text = read(path)

  it('names only commands that there are', () => {
    const code = [...text.matchAll(/```sh\n([^]*?)```|`([^`\n]+)`/g)]
      .map(([, block, span]) => block ?? span!)
      .join('\n')
    const named = [...code.matchAll(/(?<!npx )\b(?:pnpm|npm run|npm(?= (?:start|test)\b)) ([a-z][\w:]*)/g)].map(
      ([, script]) => script!,
    )
    const builtIn = new Set(['install', 'add', 'exec'])
    const inRooms = new Set(['typecheck', 'package:check'])
    const known = (script: string) => script in scripts || builtIn.has(script) || inRooms.has(script)
    expect(named.filter((script) => !known(script))).toEqual([])
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
  expect(read('.github/workflows/ci.yml')).toContain('run: .ci/run')
  expect(read('.ci/run')).toMatch(/^npm test$/m)
  expect(read('README.md')).toMatch(/^npm test\b/m)
})
