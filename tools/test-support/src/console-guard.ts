import { afterEach, beforeEach, expect } from 'vitest'

// Libraries must not print: fails each test during which the console was used, and shows the output.
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
