import { isLoopbackOrigin } from '../loopback.ts'
import { getHeader, type RawRequest } from '../raw-request.ts'

/** Returns the CORS headers of a response: only pages of this machine may sign users in. */
export function entraCorsHeaders({ headers }: RawRequest): Record<string, string> {
  const origin = getHeader(headers, 'origin')
  if (origin === undefined || !isLoopbackOrigin(origin)) return {}
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': 'GET, POST',
    'Access-Control-Allow-Headers': getHeader(headers, 'access-control-request-headers') ?? 'Content-Type',
    Vary: 'Origin',
  }
}
