import { hash } from 'node:crypto'
import type { Issuer } from '@acs-kit/service-settings'
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
export function toPrincipal(payload: JWTPayload, { issuer, kind = 'oidc', required, admin }: Issuer): Principal {
  const roles = wordsOf(payload['roles'])
  const permissions = new Set([...roles, ...wordsOf(payload['scp']), ...wordsOf(payload['scope'])])
  if (required !== undefined && !permissions.has(required)) {
    throw new ProblemError('permission-missing', `The token needs the scope or role ${required}.`)
  }
  const isAdmin = admin !== undefined && permissions.has(admin)
  if (kind === 'entra') {
    // `sub` differs from one application to the next, `oid` does not.
    const tid = claim(payload, 'tid')
    const oid = claim(payload, 'oid')
    if (!issuer.includes(tid)) throw new ProblemError('token-invalid', 'The token’s tenant is not the issuer’s.')
    return { userKey: keyOf('entra', tid, oid), issuer, subject: oid, tenantId: tid, roles, isAdmin }
  }
  const subject = claim(payload, 'sub')
  return { userKey: keyOf('oidc', issuer, subject), issuer, subject, roles, isAdmin }
}

function keyOf(...parts: string[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url')
}

function claim(payload: JWTPayload, name: string): string {
  const value = payload[name]
  if (typeof value === 'string' && value !== '') return value
  throw new ProblemError('token-invalid', `The token lacks the claim ${name}.`)
}

const noWords: readonly string[] = []

/** Claims that list names do so as an array, or in one string with spaces. */
function wordsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(' ').filter((word) => word !== '')
  // One list for all who have none: most users are kept in memory with it.
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : noWords
}
