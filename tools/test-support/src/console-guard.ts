import { afterEach, beforeEach, expect } from 'vitest'

// Libraries that print are noise in somebody's log: a test in which anything was printed fails, and says what.
const methods = ['debug', 'error', 'info', 'log', 'warn'] as const
const printed: unknown[][] = []

for (const method of methods) {
  console[method] = (...values: unknown[]) => void printed.push([method, ...values])
}

beforeEach(() => {
  printed.length = 0
})

afterEach(() => {
  expect(printed, 'printed during the test').toEqual([])
})
