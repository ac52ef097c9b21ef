import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import { ResumableFile } from '../mappings/resumable-file.ts'

const first = { rows: 1, continuationToken: 'a', isLast: false }
const last = { rows: 2, isLast: true }
const content = 'rows'
/** A complete export without rows. */
const planted = JSON.stringify({ content, bytes: 0, rows: 0, isLast: true, owner: 'x' })
const notYours = /x\.partial is not yours alone: delete it or choose another file$/
const isRoot = process.getuid?.() === 0

/** Leaves a partial file, as an interrupted export does. */
async function interrupt(): Promise<string> {
  const path = join(temporaryFolder(), 'x')
  await using file = await ResumableFile.open(path, content)
  await file.append('first\n', first)
  return path
}

it('is written only by the process that opened it last', async () => {
  const path = join(temporaryFolder(), 'x')
  await using former = await ResumableFile.open(path, content)
  await former.append('first\n', first)
  await using current = await ResumableFile.open(path, content)
  const rejected = 'another process continues the export to'
  await expect(former.append('a longer second\n', last)).rejects.toThrow(rejected)
  await current.append('second\n', last)
  await expect(former.complete()).rejects.toThrow(rejected)
  await current.complete()
  expect(readFileSync(path, 'utf8')).toBe('first\nsecond\n')
  expect(readdirSync(join(path, '..'))).toEqual(['x'])
})

it('remains for another process that opened it when it was empty', async () => {
  const path = join(temporaryFolder(), 'x')
  const former = await ResumableFile.open(path, content)
  await using current = await ResumableFile.open(path, content)
  await former[Symbol.asyncDispose]()
  await current.append('first\n', last)
  await current.complete()
  expect(readFileSync(path, 'utf8')).toBe('first\n')
})

it('is accessible only to its owner, also while it is partial', async () => {
  const path = await interrupt()
  const modes = ['.partial', '.partial/rows', '.partial/checkpoint.json'].map((name) => statSync(path + name).mode)
  expect(modes.map((mode) => mode & 0o777)).toEqual([0o700, 0o600, 0o600])
  await using file = await ResumableFile.open(path, content)
  await file.complete()
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

it('never replaces a link', async () => {
  const path = await interrupt()
  await using file = await ResumableFile.open(path, content)
  symlinkSync('missing', path)
  await expect(file.complete()).rejects.toThrow('already exists')
  expect(lstatSync(path).isSymbolicLink()).toBe(true)
})

it.each<[string, (partial: string, victim: string) => void]>([
  ['is a link to a file', (partial, victim) => symlinkSync(victim, partial)],
  [
    'is a link to a folder',
    (partial, victim) => {
      mkdirSync(`${victim}.folder`, { mode: 0o700 })
      writeFileSync(join(`${victim}.folder`, 'checkpoint.json'), planted)
      symlinkSync(`${victim}.folder`, partial)
    },
  ],
  ['is accessible to others', (partial) => plant(partial, 0o755)],
  ['is writable by a group', (partial) => plant(partial, 0o770)],
])('is not continued if its partial folder %s', async (_name, prepare) => {
  const folder = temporaryFolder()
  const [path, victim] = [join(folder, 'x'), join(folder, 'victim')]
  writeFileSync(victim, 'kept')
  prepare(`${path}.partial`, victim)
  await expect(ResumableFile.open(path, content)).rejects.toThrow(notYours)
  expect(readFileSync(victim, 'utf8')).toBe('kept')
})

it.runIf(isRoot)('is not continued if its partial folder belongs to another user', async () => {
  const path = join(temporaryFolder(), 'x')
  plant(`${path}.partial`, 0o700)
  chownSync(`${path}.partial`, 65534, 65534)
  await expect(ResumableFile.open(path, content)).rejects.toThrow(notYours)
})

it.each<[string, (path: string) => void]>([
  ['has the name of its partial folder', (path) => writeFileSync(path, 'kept', { mode: 0o600 })],
  [
    'is in a folder of that name',
    (path) => {
      mkdirSync(path, { mode: 0o700 })
      writeFileSync(join(path, 'rows'), 'kept')
    },
  ],
])('does not change a file that %s', async (_name, prepare) => {
  const path = join(temporaryFolder(), 'x')
  prepare(`${path}.partial`)
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(ResumableFile.open(path, content)).rejects.toThrow(
      /x\.partial cannot be continued: delete it or choose another file$/,
    )
  }
  const kept = [`${path}.partial/rows`, `${path}.partial`].find((name) => existsSync(name))!
  expect(readFileSync(kept, 'utf8')).toBe('kept')
})

it.each<[string, string, (partial: string) => void]>([
  ['a damaged checkpoint', 'cannot be continued', (partial) => writeFileSync(join(partial, 'checkpoint.json'), '')],
  ['less than its checkpoint', 'cannot be continued', (partial) => writeFileSync(join(partial, 'rows'), 'fir')],
  ['rows that have another name', 'cannot be continued', (partial) => linkSync(join(partial, 'rows'), `${partial}.y`)],
  ['rows that others can read', 'is not yours alone', (partial) => chmodSync(join(partial, 'rows'), 0o644)],
  [
    'rows that are a link',
    'ELOOP',
    (partial) => {
      rmSync(join(partial, 'rows'))
      writeFileSync(`${partial}.y`, 'first\n', { mode: 0o600 })
      symlinkSync(`${partial}.y`, join(partial, 'rows'))
    },
  ],
])('is not continued with %s', async (_name, message, damage) => {
  const path = await interrupt()
  damage(`${path}.partial`)
  await expect(ResumableFile.open(path, content)).rejects.toThrow(message)
})

it('does not follow a link in place of its next checkpoint', async () => {
  const path = await interrupt()
  const victim = `${path}.victim`
  writeFileSync(victim, 'kept')
  symlinkSync(victim, `${path}.partial/checkpoint.json.new`)
  await using file = await ResumableFile.open(path, content)
  await file.append('second\n', last)
  await file.complete()
  expect([readFileSync(path, 'utf8'), readFileSync(victim, 'utf8')]).toEqual(['first\nsecond\n', 'kept'])
})

it('can be continued after a write failed', async () => {
  const path = await interrupt()
  const obstacle = `${path}.partial/checkpoint.json.new`
  {
    await using file = await ResumableFile.open(path, content)
    mkdirSync(obstacle)
    const message = /^writing .*x\.partial failed, correct this and run the command again: .*EISDIR/
    await expect(file.append('a longer second\n', last)).rejects.toThrow(message)
  }
  rmSync(obstacle, { recursive: true })
  await using file = await ResumableFile.open(path, content)
  expect(file.progress).toMatchObject(first)
  await file.append('second\n', last)
  await file.complete()
  expect(readFileSync(path, 'utf8')).toBe('first\nsecond\n')
})

it('can start over', async () => {
  const path = await interrupt()
  await using file = await ResumableFile.open(path, content, { startsOver: true })
  expect(file.progress).toMatchObject({ rows: 0, isLast: false })
  await file.append('1\n', last)
  await file.complete()
  expect(readFileSync(path, 'utf8')).toBe('1\n')
})

/** Creates what another user could prepare in a folder that everyone can write to. */
function plant(partial: string, mode: number): void {
  mkdirSync(partial)
  writeFileSync(join(partial, 'checkpoint.json'), planted)
  writeFileSync(join(partial, 'rows'), '', { mode: 0o600 })
  chmodSync(partial, mode)
}
