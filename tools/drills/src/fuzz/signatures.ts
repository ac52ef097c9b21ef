import { randomBytes } from 'node:crypto'
import { signedHeaders, type RequestToSign } from '@acs-kit/test-support/signed-request'

type AccessKeys = Readonly<Record<'primary' | 'secondary', string>>
export type Sign = (request: Omit<RequestToSign, 'accessKey'>, keys: AccessKeys) => Record<string, string>

const otherKey = randomBytes(64).toString('base64')
const minuteMs = 60_000

const signPrimary: Sign = (request, keys) => signedHeaders({ ...request, accessKey: keys.primary })
const signWithin =
  (minutes: number): Sign =>
  (request, keys) =>
    signPrimary({ ...request, date: new Date(Date.now() + minutes * minuteMs) }, keys)
const signAltered =
  (change: (authorization: string) => string): Sign =>
  (request, keys) => {
    const headers = signPrimary(request, keys)
    return { ...headers, authorization: change(headers['authorization']!) }
  }

/** Headers of validly signed requests. `oldest` and `newest` are just within the allowed clock difference. */
export const validSignatures: Readonly<Record<string, Sign>> = {
  primary: signPrimary,
  secondary: (request, keys) => signedHeaders({ ...request, accessKey: keys.secondary }),
  'date header': (request, keys) =>
    signPrimary({ ...request, signedNames: ['date', 'host', 'x-ms-content-sha256'] }, keys),
  oldest: signWithin(-14),
  newest: signWithin(14),
}

/** Headers of invalidly signed requests. */
export const invalidSignatures: Readonly<Record<string, Sign>> = {
  none: ({ host }) => ({ host }),
  'other key': (request) => signedHeaders({ ...request, accessKey: otherKey }),
  'altered signature': signAltered((text) =>
    text.replace(/Signature=(.)/, (_, first) => `Signature=${first === 'A' ? 'B' : 'A'}`),
  ),
  'altered body hash': (request, keys) => ({
    ...signPrimary(request, keys),
    'x-ms-content-sha256': Buffer.alloc(32).toString('base64'),
  }),
  'other path signed': (request, keys) => signPrimary({ ...request, path: `${request.path}0` }, keys),
  'other method signed': (request, keys) => signPrimary({ ...request, method: `${request.method}S` }, keys),
  'stale date': signWithin(-16),
  'early date': signWithin(16),
  'no date': (request, keys) => {
    const { 'x-ms-date': _, ...rest } = signPrimary(request, keys)
    return rest
  },
  'host not signed': signAltered((text) => text.replace(';host;', ';')),
  'missing header signed': signAltered((text) => text.replace(';host;', ';host;x-absent;')),
  bearer: signAltered(() => 'Bearer abc'),
  garbage: signAltered(() => 'HMAC-SHA256 SignedHeaders=;;&Signature====='),
}
