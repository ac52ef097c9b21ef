import { expect, it } from 'vitest'
import { createProgressLog } from '../mappings/progress-log.ts'

it('prints progress every ten seconds at most', () => {
  const lines: string[] = []
  let nowMs = 5000
  const log = createProgressLog(
    (line) => lines.push(line),
    () => nowMs,
  )
  for (nowMs = 5000; nowMs <= 40_000; nowMs += 1000) log.update(() => `at ${nowMs / 1000}`)
  expect(lines).toEqual(['at 15', 'at 25', 'at 35'])
})
