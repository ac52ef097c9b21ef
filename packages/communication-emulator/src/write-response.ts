import type { ServerResponse } from 'node:http'
import { drawRandom } from './random.ts'
import { getHeader, type RawRequest, type RawResponse } from './raw-request.ts'

/** Writes a response with the headers that the service always sends. */
export function writeResponse(
  response: ServerResponse,
  request: RawRequest,
  { status, headers, body, html, isFromResourceManager = false }: RawResponse,
  elapsedMs: number,
): void {
  const clientRequestId = getHeader(request.headers, 'x-ms-client-request-id')
  const isError = status >= 400
  const text = body === undefined ? undefined : toAscii(JSON.stringify(body))
  const noise = drawRandom(48).toString('base64')
  // differs(hsts): Strict-Transport-Security would force every other program on localhost to HTTPS.
  response.writeHead(status, {
    ...(!isFromResourceManager && {
      'MS-CV': `${noise.slice(0, 22)}.0`,
      'Request-Context': 'appId=',
      'X-Processing-Time': `${Math.round(elapsedMs)}ms`,
      'X-Cache': 'CONFIG_NOCACHE',
      // guess(azure-ref): only its presence is known.
      'X-Azure-Ref': noise.slice(22),
    }),
    ...(clientRequestId !== undefined && { 'x-ms-client-request-id': clientRequestId }),
    ...headers,
    ...(html !== undefined && {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': Buffer.byteLength(html),
    }),
    // The identity service sends errors chunked and without a charset, and everything else with a length.
    ...(text !== undefined &&
      (isError && !isFromResourceManager
        ? {
            'Content-Type': 'application/json',
            ...(response.req.httpVersion !== '1.0' && { 'Transfer-Encoding': 'chunked' }),
          }
        : { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': text.length })),
  })
  if (html === undefined) response.end(text, 'latin1')
  else response.end(html)
}

/** Escapes all characters outside ASCII: Node writes headers and body as one string, so both must have the same encoding. */
function toAscii(json: string): string {
  // oxlint-disable-next-line no-control-regex -- this range is ASCII
  return json.replaceAll(/[^\x00-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
