import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const getScripts = (path: string) =>
  Object.keys((JSON.parse(read(path)) as { scripts?: Record<string, string> }).scripts ?? {})
/** The package.json of the folder, or of the nearest one above it. */
const findManifest = (folder: string): string =>
  existsSync(join(root, folder, 'package.json')) ? join(folder, 'package.json') : findManifest(dirname(folder))
const packages = globSync(['{apps,packages,tools}/*/package.json', 'infra/package.json'], { cwd: root })
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...globSync(['{apps,packages,tools}/**/README.md', 'infra/*.md'], { cwd: root, exclude: ['**/node_modules'] }),
]

describe.each(documents)('%s', (path) => {
  const text = read(path)

  it('names only existing commands', () => {
    const code = [...text.matchAll(/```sh\n([^]*?)```|`([^`\n]+)`/g)]
      .map(([, block, span]) => block ?? span!)
      .join('\n')
    const named = [...code.matchAll(/(?<!npx )\b(?:pnpm|npm run|npm(?= (?:start|test)\b)) ([a-z][\w:]*)/g)].map(
      ([, script]) => script!,
    )
    // CONTRIBUTING also names the scripts of packages, a package's README only its own.
    const manifests = path === 'CONTRIBUTING.md' ? packages : [findManifest(dirname(path))]
    const known = new Set(['install', 'add', 'exec', 'dlx', ...['package.json', ...manifests].flatMap(getScripts)])
    expect(named.filter((script) => !known.has(script))).toEqual([])
  })

  it('links only to existing files and headings', () => {
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [file, anchor] = target!.split('#')
      const linked = file === '' ? path : join(dirname(path), file!)
      expect(existsSync(join(root, linked)), target).toBe(true)
      if (anchor === undefined) continue
      const headings = [...read(linked).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
        heading!.toLowerCase().replaceAll('`', '').replaceAll(' ', '-'),
      )
      expect(headings, target).toContain(anchor)
    }
  })
})

describe('the retirement of ACS', () => {
  const section = /^## Retirement of ACS\n([^]*?)(?=^## )/m.exec(read('README.md'))![1]!
  const dates = section.match(/\d{1,2} [A-Z]\w+ 20\d\d/g)!
  const sources = globSync('**/*.{md,ts,mjs,html,yaml,yml,py,cs,java}', {
    cwd: root,
    exclude: ['**/node_modules', '**/dist', '**/.*', 'test/documents.test.ts'],
  })
  const others = sources.map((path) => ({ path, text: read(path).replace(section, '') }))

  it('has a date for its end, the stop of sign-ups, and each source', () => {
    expect(dates).toHaveLength(4)
    expect(new Set(dates).size).toBe(4)
  })

  it('is dated nowhere else', () => {
    const formats = dates.flatMap((date) => {
      const [day, month, year] = date.split(' ') as [string, string, string]
      const iso = new Date(`${date} UTC`).toISOString().slice(0, 10)
      return [date, `${month} ${day}, ${year}`, iso]
    })
    const inWords = /\bretir\w+\b[^.;|]{0,200}\b[A-Z][a-z]+ (?:\d{1,2}, )?20\d\d\b/
    const isDated = ({ text }: { text: string }) =>
      inWords.test(text) || formats.some((format) => text.includes(format))
    expect(others.filter(isDated).map(({ path }) => path)).toEqual([])
  })

  it('is explained under each heading that a message names', () => {
    const named = others.flatMap(({ path, text }) =>
      path.endsWith('.ts') ? [...text.matchAll(/ README\.md#([\w-]+) in the root/g)].map(([, anchor]) => anchor!) : [],
    )
    expect(named).not.toEqual([])
    const headings = section.match(/^### .+$/gm)!.map((line) => line.slice(4).toLowerCase().replaceAll(' ', '-'))
    expect(headings).toEqual(expect.arrayContaining(named))
  })
})

describe('CI', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const steps = [...read('.github/workflows/ci.yml').matchAll(/^ +run: npm run ([\w:]+)/gm)].map(([, step]) => step!)

  it('runs the commands that a developer runs', () => {
    expect(steps).not.toEqual([])
    expect(steps.filter((step) => !Object.hasOwn(scripts, step))).toEqual([])
    expect(read('.ci/run')).toMatch(/^npm test$/m)
    expect(read('README.md')).toMatch(/^npm test\b/m)
  })

  it('has a step for each kind of test', () => {
    const kinds = /\{([\w,]+)\}/.exec(scripts['test:unit']!)![1]!.split(',')
    expect(kinds).not.toEqual([])
    for (const kind of kinds) {
      expect(scripts[`test:${kind}`]).toContain(`vitest run .${kind}.test`)
      expect(steps).toContain(`test:${kind}`)
    }
    expect(steps).toContain('test:unit')
  })
})

it('pnpm-workspace.yaml gives a reason for each policy', () => {
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
