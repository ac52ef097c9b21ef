import type { HttpRequest } from '@acs-kit/test-support/http-client'
import type { GeneratedRequest } from './generated-request.ts'
import { signatures, type AccessKeys } from './signatures.ts'

export interface Target {
  readonly host: string
  readonly keys: AccessKeys
  /** Existing or deleted ids. */
  readonly ids: readonly string[]
}

/** Completes a generated request with an id and a signature. */
export function toHttpRequest(generated: GeneratedRequest, { host, keys, ids }: Target): HttpRequest {
  const { method, query, headers, body, isChunked, isIdEncoded, signature } = generated
  const id = chooseId(generated.id, ids)
  const path = `${generated.path.replaceAll('{id}', () => (isIdEncoded ? encodeURIComponent(id) : id))}${query}`
  const signed = signatures[signature]({ method, path, host, body }, keys)
  return { method, path, body, headers: { ...headers, ...signed }, isChunked }
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
