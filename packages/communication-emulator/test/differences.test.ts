import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

it('lists the same differences and guesses in the README and in the code', () => {
  const marked = globSync('src/**/*.ts', { cwd: root })
    .flatMap((path) => [...read(path).matchAll(/\b(guess|differs)\(([a-z-]+)\)/g)])
    .map(([, marker, name]) => `${name} ${marker === 'guess' ? 'guess' : 'difference'}`)
  const listed = [...read('README.md').matchAll(/^\| `([a-z-]+)` +\| (guess|difference) +\|/gm)].map(
    ([, name, kind]) => `${name} ${kind}`,
  )
  expect(listed.toSorted()).toEqual([...new Set(marked)].toSorted())
})
