import { errorResponse } from '../error-response.ts'
import { InvalidSettingError } from '../invalid-setting-error.ts'
import { isLoopbackHost, isLoopbackOrigin } from '../loopback.ts'
import { getHeader, type RawRequest, type RawResponse } from '../raw-request.ts'
import { handleAdministration } from './administration-routes.ts'
import type { Administration } from './administration.ts'

const prefix = '/_emulator/'

export function isAdministration({ path }: RawRequest): boolean {
  return path.startsWith(prefix)
}

/** Performs the administration over HTTP, for tests in other processes and languages on this machine. */
export async function administer(emulator: Administration, request: RawRequest): Promise<RawResponse> {
  const rejection = findRejection(request)
  if (rejection) return errorResponse(403, 'Rejected', rejection)
  const cors = getCorsHeaders(request)
  if (request.method === 'OPTIONS') return { status: 204, headers: cors }
  try {
    const response = await handleAdministration(emulator, request.path.slice(prefix.length), request)
    return { ...response, headers: { ...response.headers, ...cors } }
  } catch (error) {
    if (error instanceof InvalidSettingError) return errorResponse(400, 'Rejected', error.message, cors)
    throw error
  }
}

/** Returns why a request is rejected: other machines, and pages of other sites that reach this port through a browser, have no access. */
function findRejection({ remoteAddress = '', headers }: RawRequest): string | undefined {
  if (!isLoopbackHost(remoteAddress.replace(/^::ffff:/, '')))
    return 'The administration rejects other machines: send the request from this one.'
  // Anchored at both ends: otherwise the search would start again at every colon of a long header.
  const host = /^(\[[^\]]*\]|[^:]*)(?::\d+)*$/.exec(headers.host ?? '')?.[1] ?? ''
  if (!isLoopbackHost(host)) return 'The administration requires a loopback name as Host: use localhost.'
  const origin = getHeader(headers, 'origin')
  if (origin !== undefined && !isLoopbackOrigin(origin))
    return `The administration rejects pages of ${origin}: serve the page from localhost.`
  return undefined
}

function getCorsHeaders({ headers }: RawRequest): Record<string, string> {
  const origin = getHeader(headers, 'origin')
  if (origin === undefined) return {}
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
    'Access-Control-Allow-Headers': 'Content-Type',
    Vary: 'Origin',
  }
}
