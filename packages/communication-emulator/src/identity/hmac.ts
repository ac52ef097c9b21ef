import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { AccessKey } from '../access-key.ts'
import { getHeader, type RawRequest } from '../raw-request.ts'
import { ServiceError } from './errors.ts'

// guess(clock-skew): a quarter of an hour is what Azure's other HMAC services allow.
const allowedSkewMs = 15 * 60_000

const requiredHeaders = ['host', 'x-ms-content-sha256']

/**
 * Finds the access key that signed a request, over its raw form: every SDK generation signs its own idea of host and path,
 * and sends the same, so nothing is rebuilt here. Throws the service's refusal, with the reason in `innererror`.
 */
export function authenticate(request: RawRequest, keys: readonly AccessKey[], options: { loose: boolean }): AccessKey {
  const { headers } = request
  const authorization = getHeader(headers, 'authorization')
  if (!authorization) throw denied('AuthorizationMissing', 'The request has no Authorization header.')
  const match = /^HMAC-SHA256 SignedHeaders=([^&\s]+)&Signature=([A-Za-z0-9+/]+={0,2})$/.exec(authorization)
  if (!match) {
    throw denied(
      'AuthorizationUnreadable',
      'Authorization must read `HMAC-SHA256 SignedHeaders=<names>&Signature=<base64>`, or `Bearer <token>`.',
    )
  }
  const names = match[1]!.toLowerCase().split(';')
  // A header of 8 kB that is signed a thousand times would make 8 MB to sign and to explain.
  if (new Set(names).size < names.length) throw denied('HeadersRepeated', 'SignedHeaders names a header twice.')
  // Once x-ms-date is there, Date does not count.
  const dateHeader = getHeader(headers, 'x-ms-date') === undefined ? 'date' : 'x-ms-date'
  // guess(signed-headers): that these three are required, each once, is how every SDK signs, not a documented rule.
  const unsigned = [dateHeader, ...requiredHeaders].filter((name) => !names.includes(name))
  if (unsigned.length > 0) throw denied('HeadersNotSigned', `SignedHeaders lacks: ${unsigned.join(', ')}.`)
  const missing = names.filter((name) => getHeader(headers, name) === undefined)
  if (missing.length > 0) throw denied('HeadersMissing', `Signed, but not sent: ${missing.join(', ')}.`)

  const contentHash = hash('sha256', request.body, 'base64')
  if (contentHash !== getHeader(headers, 'x-ms-content-sha256')) {
    throw new ServiceError(401, 'Denied', "Request 'x-ms-content-sha256' differs from generated content hash.", {
      innererror: {
        code: 'ContentHashMismatch',
        message: `The ${request.body.length} bytes of the body hash to ${contentHash}.`,
      },
    })
  }

  const stringToSign = [request.method, request.target, names.map((name) => getHeader(headers, name)).join(';')].join(
    '\n',
  )
  const signature = Buffer.from(match[2]!, 'base64')
  // guess(either-key): that both keys are valid follows from there being two.
  const key = keys.find((candidate) => isSignedWith(candidate, stringToSign, signature))
  if (!key) throw signatureMismatch(stringToSign, getHeader(headers, 'x-ms-hmac-string-to-sign-base64'))

  const date = readHttpDate(getHeader(headers, dateHeader)!)
  if (!options.loose && !(Math.abs(Date.now() - date) <= allowedSkewMs)) {
    throw denied(
      'DateOutOfRange',
      `${dateHeader} is ${getHeader(headers, dateHeader)}, but it is ${new Date().toUTCString()}: more than 15 minutes off, or no HTTP date.`,
    )
  }
  return key
}

function readHttpDate(text: string): number {
  return /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/.test(text) ? Date.parse(text) : Number.NaN
}

function isSignedWith(key: AccessKey, stringToSign: string, signature: Buffer): boolean {
  const expected = createHmac('sha256', key.secret).update(stringToSign).digest()
  return expected.length === signature.length && timingSafeEqual(expected, signature)
}

function signatureMismatch(server: string, clientBase64: string | undefined): ServiceError {
  const client = clientBase64 === undefined ? undefined : Buffer.from(clientBase64, 'base64').toString()
  const difference = client === undefined ? undefined : firstDifference(server, client)
  const message =
    client === undefined
      ? 'The signature fits neither access key over stringToSign: either the key is another one, or something else was signed.'
      : difference === undefined
        ? 'The same string was signed, so the access key is another one.'
        : `Another string was signed: line ${difference.line} differs.`
  return denied('SignatureMismatch', message, {
    stringToSign: server,
    ...(client !== undefined && { clientStringToSign: client }),
    ...(difference && { firstDifference: difference }),
  })
}

/** The first line, counted from 1, that is not the same on both sides. */
function firstDifference(server: string, client: string) {
  const servers = server.split('\n')
  const clients = client.split('\n')
  for (let index = 0; index < Math.max(servers.length, clients.length); index++) {
    if (servers[index] !== clients[index]) {
      return { line: index + 1, server: servers[index] ?? null, client: clients[index] ?? null }
    }
  }
  return undefined
}

// guess(denied): this answer was seen for a missing key only; the service's text for a wrong signature, date or
// header list is not known.
export function denied(code: string, message: string, more: Record<string, unknown> = {}): ServiceError {
  // differs(innererror)
  return new ServiceError(401, 'Denied', 'Denied by the resource provider.', { innererror: { code, message, ...more } })
}
