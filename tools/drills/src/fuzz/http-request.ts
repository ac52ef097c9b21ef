import { randomBytes } from 'node:crypto'
import type { HttpRequest } from '@acs-kit/test-support/http-client'
import { signedHeaders } from '@acs-kit/test-support/signed-request'
import type { GeneratedRequest, Signature } from './generated-request.ts'

export interface Target {
  readonly host: string
  readonly primaryKey: string
  readonly secondaryKey: string
  /** Existing or deleted ids. */
  readonly ids: readonly string[]
}

const foreignKey = randomBytes(64).toString('base64')
const minute = 60_000

/** Completes a generated request with an id and a signature. */
export function toHttpRequest(generated: GeneratedRequest, target: Target): HttpRequest {
  const id = chooseId(generated.id, target.ids)
  const path = generated.path.replaceAll('{id}', () => (generated.isIdEncoded ? encodeURIComponent(id) : id))
  const request = { method: generated.method, path: `${path}${generated.query}`, body: generated.body }
  return {
    ...request,
    headers: { ...generated.headers, ...sign(request, generated.signature, target) },
    isChunked: generated.isChunked,
  }
}

function chooseId({ kind, pick }: GeneratedRequest['id'], ids: readonly string[]): string {
  const known = ids[pick % ids.length]!
  const [resource = '', suffix = ''] = known.split('_')
  switch (kind) {
    case 'known':
      return known
    case 'foreign':
      return `8:acs:00000000-0000-0000-0000-000000000000_${suffix}`
    case 'unknown':
      return `${resource}_${pick.toString(16).padStart(8, '0')}-0000-0000-0000-000000000000`
    case 'other case':
      return known.toUpperCase()
    case 'malformed':
      return ['8:acs:', suffix, `${known}_${suffix}`, `${known}0`, '8:orgid:x', '%', 'é', '0'.repeat(300)][pick % 8]!
  }
}

function sign(
  { method, path, body }: { method: string; path: string; body: Uint8Array },
  signature: Signature,
  { host, primaryKey, secondaryKey }: Target,
): Record<string, string> {
  const parts = { method, path, body, host, accessKey: primaryKey }
  const shifted = (minutes: number) => signedHeaders({ ...parts, date: new Date(Date.now() + minutes * minute) })
  const good = signedHeaders(parts)
  const rewrite = (change: (authorization: string) => string) => ({
    ...good,
    authorization: change(good['authorization']!),
  })
  switch (signature) {
    case 'primary':
      return good
    case 'secondary':
      return signedHeaders({ ...parts, accessKey: secondaryKey })
    case 'date header':
      return signedHeaders({ ...parts, signedNames: ['date', 'host', 'x-ms-content-sha256'] })
    case 'oldest':
      return shifted(-14)
    case 'newest':
      return shifted(14)
    case 'none':
      return { host }
    case 'other key':
      return signedHeaders({ ...parts, accessKey: foreignKey })
    case 'altered signature':
      return rewrite((text) => text.replace(/Signature=(.)/, (_, first) => `Signature=${first === 'A' ? 'B' : 'A'}`))
    case 'altered body hash':
      return { ...good, 'x-ms-content-sha256': Buffer.alloc(32).toString('base64') }
    case 'other path signed':
      return signedHeaders({ ...parts, path: `${path}0` })
    case 'other method signed':
      return signedHeaders({ ...parts, method: `${method}S` })
    case 'stale date':
      return shifted(-16)
    case 'early date':
      return shifted(16)
    case 'no date': {
      const { 'x-ms-date': _, ...rest } = good
      return rest
    }
    case 'host not signed':
      return rewrite((text) => text.replace(';host;', ';'))
    case 'missing header signed':
      return rewrite((text) => text.replace(';host;', ';host;x-absent;'))
    case 'bearer':
      return { ...good, authorization: 'Bearer abc' }
    case 'garbage':
      return { ...good, authorization: 'HMAC-SHA256 SignedHeaders=;;&Signature=====' }
  }
}
