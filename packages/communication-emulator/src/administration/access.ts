import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { isLoopbackHost, isLoopbackOrigin } from '../loopback.ts'
import { getHeader, type RawRequest } from '../raw-request.ts'

/** Prefix of the administration, and address of the emulator's page. */
export const administrationPath = '/_emulator/'

/** Header of the administration token in requests of browsers. */
const tokenHeader = 'X-Emulator-Token'

/** Creates the token that pages send with changes. Other sites cannot read it, so they cannot forge such a request. */
export function createAdministrationToken(): string {
  return randomBytes(32).toString('base64url')
}

/**
 * Returns why a request is rejected. Programs of this machine have access. So do pages that it serves, and they need the token
 * to change something or to reveal an access token.
 */
export function findRejection(request: RawRequest, token: string): string | undefined {
  const { remoteAddress = '', headers } = request
  if (!isLoopbackHost(remoteAddress.replace(/^::ffff:/, '')))
    return 'The administration rejects other machines: send the request from this one.'
  // Anchored at both ends: otherwise the search would start again at every colon of a long header.
  const host = /^(\[[^\]]*\]|[^:]*)(?::\d+)*$/.exec(headers.host ?? '')?.[1] ?? ''
  if (!isLoopbackHost(host)) return 'The administration requires a loopback name as Host: use localhost.'
  const origin = getHeader(headers, 'origin')
  if (origin !== undefined && !isLoopbackOrigin(origin))
    return `The administration rejects pages of ${origin}: serve the page from localhost.`
  // Browsers omit Origin where a page only links or embeds. Ports of this machine with another scheme are also cross-site.
  if (headers['sec-fetch-site'] === 'cross-site' && origin === undefined && !isPageOpened(request))
    return 'The administration rejects links and embedded content of other sites: open the page of the emulator instead.'
  if (!isFromBrowser(request)) return undefined
  if (request.path === `${administrationPath}token`)
    return 'The administration rejects browsers that read the token: let the server of the page read it.'
  if (needsToken(request) && !isSame(getHeader(headers, tokenHeader.toLowerCase()), token))
    return `The header ${tokenHeader} is missing or invalid: reload the page, or let its server read the token again.`
  return undefined
}

export function getCorsHeaders({ path, headers }: RawRequest): Record<string, string> {
  const origin = getHeader(headers, 'origin')
  // The page contains the token.
  if (origin === undefined || path === administrationPath) return {}
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
    'Access-Control-Allow-Headers': `Content-Type, ${tokenHeader}`,
    Vary: 'Origin',
  }
}

/** Whether a browser sends the request: scripts of pages can neither set nor remove these headers. */
function isFromBrowser({ headers }: RawRequest): boolean {
  return headers['sec-fetch-site'] !== undefined || headers.origin !== undefined
}

/** Whether a request opens the page in a window of its own, such as a link to it. */
function isPageOpened({ method, path, headers }: RawRequest): boolean {
  return method === 'GET' && path === administrationPath && headers['sec-fetch-dest'] === 'document'
}

function needsToken({ method, query }: RawRequest): boolean {
  return !['GET', 'HEAD', 'OPTIONS'].includes(method) || query.get('reveal') === 'true'
}

/** Compares in constant time. */
function isSame(one = '', other: string): boolean {
  return timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'))
}
