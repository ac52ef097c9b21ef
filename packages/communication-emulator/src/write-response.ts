import type { ServerResponse } from 'node:http'
import { drawRandom } from './random.ts'
import { getHeader, type RawRequest, type RawResponse } from './raw-request.ts'

/** Writes a response with the headers that the service always sends. */
export function writeResponse(
  response: ServerResponse,
  request: RawRequest,
  { status, headers, body, html, text, service = 'identity' }: RawResponse,
  elapsedMs: number,
): void {
  const clientRequestId = getHeader(request.headers, 'x-ms-client-request-id')
  // Chat returns it to .NET clients, which request that, and not to others.
  const isIdReturned =
    clientRequestId !== undefined &&
    (service !== 'chat' || getHeader(request.headers, 'x-ms-return-client-request-id') === 'true')
  const isError = status >= 400
  const json = body === undefined ? undefined : toAscii(toJson(body, { isPretty: isError && service === 'chat' }))
  const page = html ?? text
  const noise = drawRandom(48).toString('base64')
  // differs(hsts): Strict-Transport-Security would force every other program on localhost to HTTPS.
  response.writeHead(status, {
    ...(service !== 'resourceManager' && {
      'MS-CV': `${noise.slice(0, 22)}.0`,
      ...(service === 'identity' && { 'Request-Context': 'appId=' }),
      'X-Processing-Time': `${Math.round(elapsedMs)}ms`,
      'X-Cache': 'CONFIG_NOCACHE',
      // guess(azure-ref): only its presence is known.
      'X-Azure-Ref': noise.slice(22),
    }),
    ...(isIdReturned && { 'x-ms-client-request-id': clientRequestId }),
    ...(page !== undefined && {
      'Content-Type': `text/${html === undefined ? 'plain' : 'html'}; charset=utf-8`,
      'Content-Length': Buffer.byteLength(page),
    }),
    ...headers,
    // Identity and chat send errors chunked and without a charset, and everything else with a length.
    ...(json !== undefined &&
      (isError && service !== 'resourceManager'
        ? {
            'Content-Type': 'application/json',
            ...(response.req.httpVersion !== '1.0' && { 'Transfer-Encoding': 'chunked' }),
          }
        : { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': json.length })),
  })
  if (page === undefined) response.end(json, 'latin1')
  else response.end(page)
}

/** Chat indents its errors and ends their lines with CRLF. */
function toJson(body: unknown, { isPretty }: { isPretty: boolean }): string {
  return isPretty ? JSON.stringify(body, null, 2).replaceAll('\n', '\r\n') : JSON.stringify(body)
}

/** Escapes all characters outside ASCII: Node writes headers and body as one string, so both must have the same encoding. */
function toAscii(json: string): string {
  // oxlint-disable-next-line no-control-regex -- this range is ASCII
  return json.replaceAll(/[^\x00-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
