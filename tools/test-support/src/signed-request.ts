import { createHash, createHmac } from 'node:crypto'

export interface RequestToSign {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly host: string
  readonly accessKey: string
  readonly body?: Uint8Array | string
  readonly date?: Date
  /** Names of the signed headers, in their order. The older SDKs sign `date` in place of `x-ms-date`. */
  readonly signedNames?: readonly string[]
  /** Further headers, which replace the usual ones before they are signed. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Returns the headers of a request as the SDKs sign it, and those that were given. */
export function signedHeaders({
  method,
  path,
  host,
  accessKey,
  body = '',
  date = new Date(),
  signedNames = ['x-ms-date', 'host', 'x-ms-content-sha256'],
  headers,
}: RequestToSign): Record<string, string> {
  const unsigned: Record<string, string> = {
    host,
    [signedNames.includes('date') ? 'date' : 'x-ms-date']: date.toUTCString(),
    'x-ms-content-sha256': createHash('sha256').update(body).digest('base64'),
    ...headers,
  }
  const stringToSign = [method, path, signedNames.map((name) => unsigned[name] ?? '').join(';')].join('\n')
  const signature = createHmac('sha256', Buffer.from(accessKey, 'base64')).update(stringToSign).digest('base64')
  return { authorization: `HMAC-SHA256 SignedHeaders=${signedNames.join(';')}&Signature=${signature}`, ...unsigned }
}
