import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { errorResponse } from '../error-response.ts'
import type { Hostnames } from '../hostnames.ts'
import { isLoopbackHost } from '../loopback.ts'
import { getHeader, getOrigin, type RawRequest, type RawResponse } from '../raw-request.ts'

/** Prefix of the administration, and address of the emulator's page. */
export const administrationPath = '/_emulator/'

/** Rules of access to the administration. */
export interface AdministrationAccess {
  /** Other sites cannot read it, so they cannot forge a request with it. */
  readonly token: string
  /** Whether requests of other machines are accepted with the token. */
  readonly isOpenToOthers: boolean
  readonly hostnames: Hostnames
}

/** Uses the token that the user chose, or a random one, which only this machine can use. Throws if the token is too weak. */
export function createAdministrationAccess(hostnames: Hostnames, token?: string): AdministrationAccess {
  if (token !== undefined && !/^[\x21-\x7e]{16,}$/.test(token)) {
    throw new Error(
      'the administration token must have at least 16 characters, all of them visible ASCII: create one with `openssl rand -hex 16`',
    )
  }
  return { token: token ?? randomBytes(32).toString('base64url'), isOpenToOthers: token !== undefined, hostnames }
}

/**
 * Returns the response to a request that is rejected. Programs of this machine have access. So do pages that it serves, and they need
 * the token to change something or to reveal an access token. Other machines need it for everything but the files of the page.
 */
export function findRejection(request: RawRequest, access: AdministrationAccess): RawResponse | undefined {
  const { headers, path } = request
  const { hostnames, isOpenToOthers, token } = access
  const isLocal = isFromThisMachine(request)
  if (!isLocal && !isOpenToOthers) {
    return reject(
      isLoopbackHost(getRemoteAddress(request))
        ? 'The administration requires a loopback name as Host: use localhost, or start the emulator with --admin-token.'
        : 'The administration rejects other machines: send the request from this one, or start the emulator with --admin-token.',
    )
  }
  if (!isLocal && !hostnames.isTrusted(headers.host)) {
    return reject('The Host header names another host: use an IP address, or a name given as --hostname.')
  }
  const origin = getHeader(headers, 'origin')
  const isOwn = origin === undefined || hostnames.isOwnOrigin(origin) || (!isLocal && origin === getOrigin(request))
  if (!isOwn) return reject(`The administration rejects pages of ${origin}: serve the page from localhost.`)
  // Browsers omit Origin where a page only links or embeds. Ports of this machine with another scheme are also cross-site.
  if (headers['sec-fetch-site'] === 'cross-site' && origin === undefined && !isPageOpened(request))
    return reject(
      'The administration rejects links and embedded content of other sites: open the page of the emulator instead.',
    )
  if (isFromBrowser(request) && path === `${administrationPath}token`)
    return reject('The administration rejects browsers that read the token: let the server of the page read it.')
  const needsToken = isLocal ? isFromBrowser(request) && isSensitive(request) : !isPagePart(request)
  if (!needsToken) return undefined
  const sent = /^Bearer (\S+)$/i.exec(getHeader(headers, 'authorization') ?? '')?.[1]
  if (isSame(sent, token)) return undefined
  const message =
    'The administration token is missing or invalid: send it as `Authorization: Bearer <token>`, or reload the page.'
  return errorResponse(401, 'Unauthorized', message, { 'WWW-Authenticate': 'Bearer' })
}

export function getCorsHeaders({ path, headers }: RawRequest): Record<string, string> {
  const origin = getHeader(headers, 'origin')
  // The page contains the token.
  if (origin === undefined || path === administrationPath) return {}
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
    'Access-Control-Allow-Headers': 'Authorization, Content-Type',
    Vary: 'Origin',
  }
}

/** Whether a request is from this machine, and addresses it by a loopback name. */
export function isFromThisMachine(request: RawRequest): boolean {
  // Anchored at both ends: otherwise the search would start again at every colon of a long header.
  const host = /^(\[[^\]]*\]|[^:]*)(?::\d+)*$/.exec(request.headers.host ?? '')?.[1] ?? ''
  return isLoopbackHost(getRemoteAddress(request)) && isLoopbackHost(host)
}

function getRemoteAddress({ remoteAddress = '' }: RawRequest): string {
  return remoteAddress.replace(/^::ffff:/, '')
}

/** Whether a browser sends the request: scripts of pages can neither set nor remove these headers. */
function isFromBrowser({ headers }: RawRequest): boolean {
  return headers['sec-fetch-site'] !== undefined || headers.origin !== undefined
}

/** Whether a request opens the page in a window of its own, such as a link to it. */
function isPageOpened({ method, path, headers }: RawRequest): boolean {
  return method === 'GET' && path === administrationPath && headers['sec-fetch-dest'] === 'document'
}

/** Whether a request is for the page, which asks for the token, or a preflight, which never has one. */
function isPagePart({ method, path }: RawRequest): boolean {
  const isFile =
    `${path}/` === administrationPath || path === administrationPath || path.startsWith(`${administrationPath}page/`)
  return method === 'OPTIONS' || (method === 'GET' && isFile)
}

/** Whether a request changes something, or reveals an access token. */
function isSensitive({ method, query }: RawRequest): boolean {
  return !['GET', 'HEAD', 'OPTIONS'].includes(method) || query.get('reveal') === 'true'
}

function reject(message: string): RawResponse {
  return errorResponse(403, 'Rejected', message)
}

/** Compares in constant time. */
function isSame(one = '', other: string): boolean {
  return timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'))
}
