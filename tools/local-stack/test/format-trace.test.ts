import { stripVTControlCharacters } from 'node:util'
import type { OtlpSpan } from '@acs-kit/test-support/otlp-receiver'
import { expect, it } from 'vitest'
import { createTraceFormatter } from '../src/format-trace.ts'

const request: OtlpSpan = {
  traceId: 'trace-1',
  traceState: undefined,
  spanId: 'request',
  parentSpanId: 'page',
  name: 'POST /v1/token',
  kind: 'server',
  startMs: 1000,
  endMs: 1020.25,
  attributes: { 'http.response.status_code': 503, 'error.type': 'communication-unavailable' },
  events: [],
  isError: true,
  resource: {},
}

function step(spanId: string, parentSpanId: string, startMs: number, more: Partial<OtlpSpan> = {}): OtlpSpan {
  const defaults = { name: spanId, kind: 'internal', attributes: {}, isError: false } as const
  return { ...request, ...defaults, spanId, parentSpanId, startMs, endMs: startMs + 1, ...more }
}

const call: Partial<OtlpSpan> = {
  kind: 'client',
  attributes: { 'service.peer.name': 'identity store' },
  events: ['attempt', 'attempt'],
}

it('formats a request when it has ended, with its steps in the order of their starts', () => {
  const format = createTraceFormatter()
  expect(format([step('find', 'resolve', 1004, call), step('verify', 'request', 1001)])).toEqual([])
  expect(format([step('resolve', 'request', 1003), step('insert', 'resolve', 1006)])).toEqual([])
  const [block, ...others] = format([request])
  expect(others).toEqual([])
  expect(stripVTControlCharacters(block!).split('\n')).toEqual([
    'trace trace-1',
    '     0 ms    20.3 ms  POST /v1/token  503  communication-unavailable',
    '     1 ms     1.0 ms  ├─ verify',
    '     3 ms     1.0 ms  └─ resolve',
    '     4 ms     1.0 ms     ├─ find  → identity store  2 attempts',
    '     6 ms     1.0 ms     └─ insert',
    '',
  ])
})

it('formats steps that end after their request in a block of their own', () => {
  const format = createTraceFormatter()
  format([request, step('resolve', 'request', 1003)])
  expect(format([step('remove', 'settle', 1030)])).toEqual([])
  const [block, ...others] = format([step('settle', 'resolve', 1029)])
  expect(others).toEqual([])
  expect(stripVTControlCharacters(block!).split('\n')).toEqual([
    'trace trace-1, continued',
    '    29 ms     1.0 ms  settle, of POST /v1/token',
    '    30 ms     1.0 ms  └─ remove',
    '',
  ])
})
