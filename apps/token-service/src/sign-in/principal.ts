import { hash } from 'node:crypto'
import type { Issuer } from '@acs-kit/service-settings'
import type { ProblemCode } from '@acs-kit/token-contract'
import type { JWTPayload } from 'jose'
import { ProblemError } from '../problem-error.ts'

/** A verified user. */
export interface Principal {
  /** Opaque, the same for ever, and different for any two users: the key of all that is stored. */
  readonly userKey: string
  readonly issuer: string
  /** The issuer's name for the user: `oid` from Entra ID, else `sub`. */
  readonly subject: string
  /** Entra ID's only. */
  readonly tenantId?: string
  readonly roles: readonly string[]
  readonly isAdmin: boolean
}

/** Throws a `ProblemError` when the token says too little about the user, or lacks the permission that everyone needs. */
export function toPrincipal(payload: JWTPayload, settings: Issuer): Principal {
  const { required, admin } = settings
  const user = toUser(payload, settings)
  const roles = wordsOf(payload['roles'])
  const permissions = new Set([...roles, ...wordsOf(payload['scp']), ...wordsOf(payload['scope'])])
  if (required !== undefined && !permissions.has(required)) {
    const { userKey } = user
    throw rejectSigned('permission-missing', `The token needs the scope or role ${required}.`, { userKey })
  }
  // Any application can request a scope; only the directory assigns a role.
  return { ...user, roles, isAdmin: admin !== undefined && roles.includes(admin) }
}

function toUser(payload: JWTPayload, { issuer, kind = 'oidc' }: Issuer) {
  if (kind === 'entra') {
    // `sub` differs from one application to the next, `oid` does not.
    const tid = claim(payload, 'tid')
    const oid = claim(payload, 'oid')
    if (tid !== tenantOf(issuer)) {
      throw rejectSigned('token-invalid', "The token's tenant (tid) is not the tenant of its issuer.")
    }
    return { userKey: keyOf('entra', tid, oid), issuer, subject: oid, tenantId: tid }
  }
  const subject = claim(payload, 'sub')
  return { userKey: keyOf('oidc', issuer, subject), issuer, subject }
}

/** A rejection of a validly signed token, which does not count against the address that it came from. */
export function rejectSigned(code: ProblemCode, detail: string, logFields?: object): ProblemError {
  return new ProblemError(code, detail, { countsAgainstAddress: false, ...(logFields && { logFields }) })
}

/** Tenant segment of an issuer of Entra ID: `https://login.microsoftonline.com/<tenant>/v2.0`. */
function tenantOf(issuer: string): string | undefined {
  return URL.parse(issuer)?.pathname.split('/')[1]
}

function keyOf(...parts: string[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url')
}

function claim(payload: JWTPayload, name: string): string {
  const value = payload[name]
  if (typeof value === 'string' && value !== '') return value
  throw rejectSigned('token-invalid', `The token lacks the claim ${name}.`)
}

const noWords: readonly string[] = []

/** Claims that list names do so as an array, or in one string with spaces. */
function wordsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(' ').filter((word) => word !== '')
  // One list for all who have none: most users are kept in memory with it.
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : noWords
}
