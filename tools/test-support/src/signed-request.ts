import { createHash, createHmac } from 'node:crypto'

export interface SignedParts {
  readonly method: string
  /** Path and query as they will be sent. */
  readonly path: string
  readonly host: string
  readonly accessKey: string
  readonly body?: Uint8Array | string
  readonly date?: Date
  /** The older SDKs signed `date`. */
  readonly dateHeader?: 'x-ms-date' | 'date'
}

/** The headers with which the SDKs sign a request. */
export function signedHeaders(parts: SignedParts): Record<string, string> {
  const { method, path, host, accessKey, body = '', date = new Date(), dateHeader = 'x-ms-date' } = parts
  const contentHash = createHash('sha256').update(body).digest('base64')
  const stringToSign = `${method}\n${path}\n${date.toUTCString()};${host};${contentHash}`
  const signature = createHmac('sha256', Buffer.from(accessKey, 'base64')).update(stringToSign).digest('base64')
  return {
    host,
    [dateHeader]: date.toUTCString(),
    'x-ms-content-sha256': contentHash,
    authorization: `HMAC-SHA256 SignedHeaders=${dateHeader};host;x-ms-content-sha256&Signature=${signature}`,
  }
}
