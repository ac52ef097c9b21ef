import { randomUUID } from 'node:crypto'
import { getHeader, type RawRequest } from '../raw-request.ts'

/** Returns the headers of every response of the resource manager. */
export function armHeaders({ method, headers }: RawRequest): Record<string, string> {
  const correlationId = getHeader(headers, 'x-ms-correlation-request-id') ?? randomUUID()
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const [limit, remaining] = getLimit(method)
  return {
    'Cache-Control': 'no-cache',
    Pragma: 'no-cache',
    Expires: '-1',
    'X-Content-Type-Options': 'nosniff',
    'x-ms-request-id': randomUUID(),
    'x-ms-correlation-request-id': correlationId,
    'x-ms-routing-request-id': `EMULATOR:${time}:${correlationId}`,
    // differs(arm-limits): requests are not counted, so the number is constant.
    [`x-ms-ratelimit-remaining-subscription-${limit}`]: remaining,
  }
}

function getLimit(method: string): [limit: string, remaining: string] {
  if (method === 'GET' || method === 'HEAD') return ['reads', '11999']
  return method === 'DELETE' ? ['deletes', '14999'] : ['writes', '1199']
}
