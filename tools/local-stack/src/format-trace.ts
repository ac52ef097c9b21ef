import { styleText } from 'node:util'
import type { OtlpSpan } from '@acs-kit/test-support/otlp-receiver'

/** Maximum number of requests whose later spans are recognized, and of spans that wait for their request. */
const maxKept = 1000

/**
 * Returns a function that takes the spans of an export and returns a block of text for each request that has ended. Spans that
 * end after their request, such as those of background tasks, get a block of their own.
 */
export function createTraceFormatter(): (spans: readonly OtlpSpan[]) => string[] {
  /** Spans whose request has not ended. */
  const waiting = new Map<string, OtlpSpan>()
  /** Requests that were formatted, by their id and those of their steps. */
  const requests = new Map<string, OtlpSpan>()

  function formatRequest(request: OtlpSpan): string {
    const lines = [toLine(request, request, toTitle(request)), ...formatSteps(request, request, '')]
    return [styleText('dim', `trace ${request.traceId}`), ...lines, ''].join('\n')
  }

  function formatSteps(parent: OtlpSpan, request: OtlpSpan, indent: string): string[] {
    requests.set(parent.spanId, request)
    const steps = [...waiting.values()].filter(({ parentSpanId }) => parentSpanId === parent.spanId)
    const sorted = steps.toSorted((a, b) => a.startMs - b.startMs)
    return sorted.flatMap((step, index) => {
      waiting.delete(step.spanId)
      const [branch, trunk] = index === sorted.length - 1 ? ['└─ ', '   '] : ['├─ ', '│  ']
      return [
        toLine(step, request, `${indent}${branch}${toTitle(step)}`),
        ...formatSteps(step, request, `${indent}${trunk}`),
      ]
    })
  }

  function* formatLateSteps(): Generator<string> {
    for (const step of waiting.values()) {
      const request = requests.get(step.parentSpanId ?? '')
      if (!request) continue
      waiting.delete(step.spanId)
      const title = `${toTitle(step)}${styleText('dim', `, of ${request.name}`)}`
      const lines = [toLine(step, request, title), ...formatSteps(step, request, '')]
      yield [styleText('dim', `trace ${request.traceId}, continued`), ...lines, ''].join('\n')
    }
  }

  return (spans) => {
    for (const span of spans) waiting.set(span.spanId, span)
    const ended = spans.filter(({ kind }) => kind === 'server')
    for (const { spanId } of ended) waiting.delete(spanId)
    const blocks = [...ended.map(formatRequest), ...formatLateSteps()]
    for (const map of [waiting, requests]) {
      for (const id of [...map.keys()].slice(0, -maxKept)) map.delete(id)
    }
    return blocks
  }
}

/** Returns a line with the start of a span, counted from that of its request, and its duration. */
function toLine({ startMs, endMs }: OtlpSpan, request: OtlpSpan, title: string): string {
  // Starts are whole milliseconds.
  const start = `${Math.round(startMs - request.startMs)} ms`.padStart(9)
  const duration = `${(endMs - startMs).toFixed(1)} ms`.padStart(11)
  return `${styleText('dim', start)}${duration}  ${title}`
}

function toTitle({ name, kind, attributes, events, isError }: OtlpSpan): string {
  const { 'service.peer.name': peer, 'http.response.status_code': status, 'error.type': error } = attributes
  const details = [
    ...(kind === 'client' ? [styleText('dim', `→ ${peer}`)] : []),
    ...(status === undefined ? [] : [`${status}`]),
    ...(error === undefined ? [] : [styleText(isError ? 'red' : 'yellow', `${error}`)]),
    ...(events.length > 1 ? [`${events.length} attempts`] : []),
  ]
  return [name, ...details].join('  ')
}
