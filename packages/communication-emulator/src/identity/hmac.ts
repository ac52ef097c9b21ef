import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { AccessKey } from '../access-key.ts'
import { getHeader, type RawRequest } from '../raw-request.ts'
import { denied, ServiceError } from './errors.ts'

// guess(clock-skew): Azure's other HMAC services allow 15 minutes.
const allowedSkewMs = 15 * 60_000

const requiredHeaders = ['host', 'x-ms-content-sha256']

/**
 * Returns the access key that signed a request. The signature covers the raw request, because SDK generations differ in how
 * they write host and path. Throws the service's error, with the reason in `innererror`.
 */
export function authenticateHmac(
  request: RawRequest,
  keys: readonly AccessKey[],
  { loose }: { loose: boolean },
): AccessKey {
  const { headers } = request
  const { names, signature } = readAuthorization(getHeader(headers, 'authorization'))
  // The service ignores Date if x-ms-date is present.
  const dateHeader = getHeader(headers, 'x-ms-date') === undefined ? 'date' : 'x-ms-date'
  // guess(signed-headers): every SDK signs these three once; no rule is documented.
  const unsigned = [dateHeader, ...requiredHeaders].filter((name) => !names.includes(name))
  if (unsigned.length > 0)
    throw denied('HeadersNotSigned', `SignedHeaders lacks ${unsigned.join(', ')}: sign every required header.`)
  const missing = names.filter((name) => getHeader(headers, name) === undefined)
  if (missing.length > 0) throw denied('HeadersMissing', `Signed headers are missing: send ${missing.join(', ')}.`)

  const contentHash = hash('sha256', request.body, 'base64')
  if (contentHash !== getHeader(headers, 'x-ms-content-sha256')) {
    const message = `x-ms-content-sha256 must be ${contentHash}, the hash of the body (${request.body.length} bytes).`
    throw new ServiceError(401, 'Denied', "Request 'x-ms-content-sha256' differs from generated content hash.", {
      innererror: { code: 'ContentHashMismatch', message },
    })
  }

  const values = names.map((name) => getHeader(headers, name))
  const stringToSign = [request.method, request.target, values.join(';')].join('\n')
  // guess(either-key): both keys are valid, since there are two.
  const key = keys.find((candidate) => isSignedWith(candidate, stringToSign, signature))
  if (!key) throw signatureMismatch(stringToSign, getHeader(headers, 'x-ms-hmac-string-to-sign-base64'))

  const date = getHeader(headers, dateHeader)!
  if (!loose && !(Math.abs(Date.now() - parseHttpDate(date)) <= allowedSkewMs)) {
    throw denied(
      'DateOutOfRange',
      `${dateHeader} '${date}' is not an HTTP date within 15 minutes of ${new Date().toUTCString()}: check the client's clock.`,
    )
  }
  return key
}

function readAuthorization(authorization: string | undefined): { names: string[]; signature: Buffer } {
  if (!authorization)
    throw denied(
      'AuthorizationMissing',
      'The Authorization header is missing: sign the request, or send an Entra ID token.',
    )
  const match = /^HMAC-SHA256 SignedHeaders=([^&\s]+)&Signature=([A-Za-z0-9+/]+={0,2})$/.exec(authorization)
  if (!match) {
    throw denied(
      'AuthorizationUnreadable',
      'Authorization is malformed: use `HMAC-SHA256 SignedHeaders=<names>&Signature=<base64>` or `Bearer <token>`.',
    )
  }
  const names = match[1]!.toLowerCase().split(';')
  // An 8 kB header signed a thousand times would make the string to sign 8 MB long.
  if (new Set(names).size < names.length)
    throw denied('HeadersRepeated', 'SignedHeaders lists a header twice: list each once.')
  return { names, signature: Buffer.from(match[2]!, 'base64') }
}

/** Returns the time of an HTTP date in milliseconds; NaN for other text. */
export function parseHttpDate(text: string): number {
  return /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/.test(text) ? Date.parse(text) : Number.NaN
}

function isSignedWith(key: AccessKey, stringToSign: string, signature: Buffer): boolean {
  const expected = createHmac('sha256', key.secret).update(stringToSign).digest()
  return expected.length === signature.length && timingSafeEqual(expected, signature)
}

function signatureMismatch(stringToSign: string, clientBase64: string | undefined): ServiceError {
  const code = 'SignatureMismatch'
  if (clientBase64 === undefined) {
    const message = 'The signature matches neither access key: check the key, and that the client signed stringToSign.'
    return denied(code, message, { stringToSign })
  }
  const clientStringToSign = Buffer.from(clientBase64, 'base64').toString()
  const firstDifference = findFirstDifference(stringToSign, clientStringToSign)
  if (!firstDifference) {
    const message = 'The client signed the same string with a different access key: copy the connection string again.'
    return denied(code, message, { stringToSign, clientStringToSign })
  }
  const message = `The client signed a different string: line ${firstDifference.line} differs.`
  return denied(code, message, { stringToSign, clientStringToSign, firstDifference })
}

/** Returns the first line, counted from 1, that differs between the two sides. */
function findFirstDifference(server: string, client: string) {
  const servers = server.split('\n')
  const clients = client.split('\n')
  const longer = servers.length > clients.length ? servers : clients
  const index = longer.findIndex((_line, at) => servers[at] !== clients[at])
  if (index === -1) return undefined
  return { line: index + 1, server: servers[index] ?? null, client: clients[index] ?? null }
}
