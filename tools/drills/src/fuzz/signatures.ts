import { randomBytes } from 'node:crypto'
import { signedHeaders } from '@acs-kit/test-support/signed-request'

export interface AccessKeys {
  readonly primary: string
  readonly secondary: string
}

interface Parts {
  readonly method: string
  readonly path: string
  readonly host: string
  readonly body: Uint8Array
}

type Sign = (parts: Parts, keys: AccessKeys) => Record<string, string>

const otherKey = randomBytes(64).toString('base64')
const minuteMs = 60_000

const signWithin: (minutes: number) => Sign = (minutes) => (parts, keys) =>
  signedHeaders({ ...parts, accessKey: keys.primary, date: new Date(Date.now() + minutes * minuteMs) })
const signAltered: (change: (authorization: string) => string) => Sign = (change) => (parts, keys) => {
  const headers = signPrimary(parts, keys)
  return { ...headers, authorization: change(headers['authorization']!) }
}
const signPrimary: Sign = (parts, keys) => signedHeaders({ ...parts, accessKey: keys.primary })

/** Headers of validly signed requests. `oldest` and `newest` are just within the allowed clock difference. */
export const validSignatures = {
  primary: signPrimary,
  secondary: (parts, keys) => signedHeaders({ ...parts, accessKey: keys.secondary }),
  'date header': (parts, keys) =>
    signedHeaders({ ...parts, accessKey: keys.primary, signedNames: ['date', 'host', 'x-ms-content-sha256'] }),
  oldest: signWithin(-14),
  newest: signWithin(14),
} satisfies Record<string, Sign>

/** Headers of invalidly signed requests. */
export const invalidSignatures = {
  none: ({ host }) => ({ host }),
  'other key': (parts) => signedHeaders({ ...parts, accessKey: otherKey }),
  'altered signature': signAltered((text) =>
    text.replace(/Signature=(.)/, (_, first) => `Signature=${first === 'A' ? 'B' : 'A'}`),
  ),
  'altered body hash': (parts, keys) => ({
    ...signPrimary(parts, keys),
    'x-ms-content-sha256': Buffer.alloc(32).toString('base64'),
  }),
  'other path signed': (parts, keys) => signPrimary({ ...parts, path: `${parts.path}0` }, keys),
  'other method signed': (parts, keys) => signPrimary({ ...parts, method: `${parts.method}S` }, keys),
  'stale date': signWithin(-16),
  'early date': signWithin(16),
  'no date': (parts, keys) => {
    const { 'x-ms-date': _, ...rest } = signPrimary(parts, keys)
    return rest
  },
  'host not signed': signAltered((text) => text.replace(';host;', ';')),
  'missing header signed': signAltered((text) => text.replace(';host;', ';host;x-absent;')),
  bearer: signAltered(() => 'Bearer abc'),
  garbage: signAltered(() => 'HMAC-SHA256 SignedHeaders=;;&Signature====='),
} satisfies Record<string, Sign>

export const signatures = { ...validSignatures, ...invalidSignatures }
export type SignatureKind = keyof typeof signatures

export function isValidSignature(kind: SignatureKind): boolean {
  return Object.hasOwn(validSignatures, kind)
}
