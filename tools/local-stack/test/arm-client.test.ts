import { expect, it } from 'vitest'
import { pollDelayMs } from '../src/stand-in-provider/arm-client.ts'

const now = Date.parse('2026-01-01T00:00:00Z')

it.each<[Record<string, string>, number]>([
  [{}, 1000],
  [{ 'Retry-After': '7' }, 7000],
  [{ 'Retry-After': 'Thu, 01 Jan 2026 00:00:15 GMT' }, 15_000],
  [{ 'Retry-After': 'Wed, 31 Dec 2025 23:59:00 GMT' }, 1000],
  [{ 'Retry-After': '0' }, 1000],
  [{ 'Retry-After': 'soon' }, 1000],
  [{ 'Retry-After': '999999999' }, 3_600_000],
  [{ 'Retry-After': '1', 'Retry-After-Ms': '50' }, 50],
  [{ 'Retry-After': '7', 'Retry-After-Ms': 'soon' }, 7000],
  [{ 'Retry-After': '7', 'Retry-After-Ms': '0' }, 7000],
  [{ 'Retry-After-Ms': '-5' }, 1000],
  [{ 'Retry-After-Ms': '999999999999' }, 3_600_000],
])('polls an operation with %j after %i ms', (headers, expected) => {
  expect(pollDelayMs(new Map(Object.entries(headers)), now)).toBe(expected)
})
