import { getTenant, toUserKey, type Issuer } from '@acs-kit/service-settings'
import type { ProblemCode } from '@acs-kit/token-contract'
import type { JWTPayload } from 'jose'
import { ProblemError } from '../problems/problem-error.ts'

/** A verified user. */
export interface Principal {
  /** Opaque, constant and unique: the key of everything stored about the user. */
  readonly userKey: string
  readonly issuer: string
  /** User id of the issuer: `oid` of Entra ID, `sub` of others. */
  readonly subject: string
  /** Tenant of an Entra ID user. */
  readonly tenantId?: string
  readonly roles: readonly string[]
  readonly isAdmin: boolean
}

/** Throws a `ProblemError` if the token lacks a claim that identifies the user, or the required permission. */
export function toPrincipal(payload: JWTPayload, settings: Issuer): Principal {
  const { required, admin } = settings
  const user = toUser(payload, settings)
  const roles = toNames(payload['roles'])
  const permissions = new Set([...roles, ...toNames(payload['scp']), ...toNames(payload['scope'])])
  if (required !== undefined && !permissions.has(required)) {
    const { userKey } = user
    throw rejectSigned(
      'permission-missing',
      `The token lacks the scope or role ${required}. Request the scope, or assign the role, and sign in again.`,
      { userKey },
    )
  }
  // Any application can request a scope; only the directory assigns a role.
  return { ...user, roles, isAdmin: admin !== undefined && roles.includes(admin) }
}

function toUser(payload: JWTPayload, { issuer, kind = 'oidc' }: Issuer) {
  if (kind === 'entra') {
    // `sub` differs between applications, `oid` does not.
    const tid = claim(payload, 'tid')
    const oid = claim(payload, 'oid')
    if (tid !== getTenant(issuer)) {
      throw rejectSigned(
        'token-invalid',
        "The token's tenant (tid) is not the tenant of its issuer. Sign in at the issuer's tenant.",
      )
    }
    return { userKey: toUserKey('entra', tid, oid), issuer, subject: oid, tenantId: tid }
  }
  const subject = claim(payload, 'sub')
  return { userKey: toUserKey('oidc', issuer, subject), issuer, subject }
}

/** Rejects a validly signed token, which does not count against the client's address. */
export function rejectSigned(code: ProblemCode, detail: string, logFields?: object): ProblemError {
  return new ProblemError(code, detail, { countsAgainstAddress: false, ...(logFields && { logFields }) })
}

function claim(payload: JWTPayload, name: string): string {
  const value = payload[name]
  if (typeof value === 'string' && value !== '') return value
  throw rejectSigned('token-invalid', `The token lacks the claim ${name}. Send an access token of a user.`)
}

const emptyClaim: readonly string[] = []

/** Reads a claim that is an array of names, or a string of names separated by spaces. */
function toNames(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(' ').filter((name) => name !== '')
  // Shared, because most cached users have no roles.
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : emptyClaim
}
