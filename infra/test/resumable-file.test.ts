import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
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

it('is readable only by its owner, also if its partial file was not', async () => {
  const path = await interrupt()
  chmodSync(`${path}.partial`, 0o644)
  await using file = await ResumableFile.open(path, content)
  await file.append('second\n', last)
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

it('does not change a file that has the name of its partial file', async () => {
  const path = join(temporaryFolder(), 'x')
  writeFileSync(`${path}.partial`, 'kept')
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(ResumableFile.open(path, content)).rejects.toThrow(
      /x\.partial cannot be continued: choose another file, or delete it$/,
    )
  }
  expect(readFileSync(`${path}.partial`, 'utf8')).toBe('kept')
})

it.each<[string, (path: string) => void]>([
  ['a damaged checkpoint', (path) => writeFileSync(`${path}.partial.json`, '')],
  ['less than its checkpoint', (path) => writeFileSync(`${path}.partial`, 'fir')],
])('is not continued with %s', async (_name, damage) => {
  const path = await interrupt()
  damage(path)
  await expect(ResumableFile.open(path, content)).rejects.toThrow('x.partial cannot be continued: choose another file')
})

it('can be continued after a write failed', async () => {
  const path = await interrupt()
  const obstacle = `${path}.partial.json.new`
  {
    await using file = await ResumableFile.open(path, content)
    mkdirSync(obstacle)
    const message = /^writing .*x\.partial failed, correct this and run the command again to continue: EISDIR/
    await expect(file.append('a longer second\n', last)).rejects.toThrow(message)
  }
  rmdirSync(obstacle)
  await using file = await ResumableFile.open(path, content)
  expect(file.progress).toMatchObject(first)
  await file.append('second\n', last)
  await file.complete()
  expect(readFileSync(path, 'utf8')).toBe('first\nsecond\n')
})
