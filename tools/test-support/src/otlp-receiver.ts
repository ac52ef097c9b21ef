import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { listenLocally } from './local-server.ts'

/** A request of an OpenTelemetry exporter. */
export interface OtlpExport {
  /** `/v1/traces` or `/v1/metrics`. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface OtlpSpan {
  readonly traceId: string
  readonly traceState: string | undefined
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly kind: 'internal' | 'server' | 'client'
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Readonly<Record<string, string | number>>
  readonly events: readonly string[]
  readonly isError: boolean
  readonly resource: Readonly<Record<string, string | number>>
}

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, string | number>>
}

type SpanJson = Readonly<Record<'traceId' | 'traceState' | 'spanId' | 'parentSpanId' | 'name', string>> & {
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes?: readonly Attribute[]
  readonly events?: readonly { readonly name: string }[]
  readonly status?: { readonly code?: number }
}

interface TracesJson {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly { readonly spans: readonly SpanJson[] }[]
  }[]
}

const kinds = { 1: 'internal', 2: 'server', 3: 'client' } as const

/** Starts an OpenTelemetry collector that passes each export to a function. It responds with `status`, or never. */
export async function startOtlpReceiver(
  onExport: (received: OtlpExport) => void,
  { status = 200 }: { readonly status?: number | undefined | 'never' } = {},
) {
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(request).catch(() => undefined)
    // The exporter has ended.
    if (!body) return
    onExport({ path: request.url!, headers: request.headers, body })
    if (status !== 'never') response.writeHead(status, { 'Content-Type': 'application/json' }).end('{}')
  }
  const server = createServer((request, response) => void receive(request, response))
  const { port, [Symbol.asyncDispose]: close } = await listenLocally(server)
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close }
}

/** Returns the spans of an export of traces in JSON, otherwise none. */
export function readSpans({ path, body }: OtlpExport): OtlpSpan[] {
  if (path !== '/v1/traces') return []
  const { resourceSpans } = JSON.parse(body.toString()) as TracesJson
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => toSpan(span, toRecord(resource.attributes)))),
  )
}

function toSpan(span: SpanJson, resource: OtlpSpan['resource']): OtlpSpan {
  const { traceId, traceState, spanId, parentSpanId, name, kind, attributes = [], events = [], status } = span
  return {
    traceId,
    traceState: traceState || undefined,
    spanId,
    parentSpanId: parentSpanId || undefined,
    name,
    kind: kinds[kind as keyof typeof kinds],
    startMs: Number(span.startTimeUnixNano) / 1e6,
    endMs: Number(span.endTimeUnixNano) / 1e6,
    attributes: toRecord(attributes),
    events: events.map((event) => event.name),
    isError: status?.code === 2,
    resource,
  }
}

function toRecord(attributes: readonly Attribute[]): Record<string, string | number> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]!]))
}
