import type { Hostnames } from '../hostnames.ts'
import { getHeader, type RawRequest } from '../raw-request.ts'

/** Returns the CORS headers of a response: only pages of this machine and of the hostnames may sign users in. */
export function entraCorsHeaders({ headers }: RawRequest, hostnames: Hostnames): Record<string, string> {
  const origin = getHeader(headers, 'origin')
  if (origin === undefined || !hostnames.isOwnOrigin(origin)) return {}
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': 'GET, POST',
    'Access-Control-Allow-Headers': getHeader(headers, 'access-control-request-headers') ?? 'Content-Type',
    Vary: 'Origin',
  }
}
