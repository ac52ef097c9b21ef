import { getHeader, type RawRequest } from './raw-request.ts'

/** Whether a request is a browser's CORS preflight. */
export function isPreflight({ method, headers }: RawRequest): boolean {
  return method === 'OPTIONS' && getHeader(headers, 'access-control-request-method') !== undefined
}

// guess(cors): the first header was recorded, and only where the request has an Origin; the other headers and the status of a
// preflight were not.
/** Returns the CORS headers of a response: any page may call the identity and chat routes, as with the service. */
export function getCorsHeaders(request: RawRequest): Record<string, string> {
  const { headers } = request
  if (getHeader(headers, 'origin') === undefined) return {}
  return {
    'Access-Control-Allow-Origin': '*',
    ...(isPreflight(request) && {
      'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE',
      // Listed by name, because `*` does not include Authorization.
      'Access-Control-Allow-Headers': getHeader(headers, 'access-control-request-headers') ?? '',
    }),
  }
}
