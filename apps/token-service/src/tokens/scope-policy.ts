import type { ScopePolicy } from '@acs-kit/service-settings'
import { scopes as allScopes, type Scope, type TokenRequest } from '@acs-kit/token-contract'
import { ProblemError } from '../problem-error.ts'

export interface Grant {
  readonly scopes: readonly Scope[]
  /** Longest lifetime, 60 to 1440. */
  readonly minutes: number
  /** Whether the request named a lifetime. */
  readonly isAsked: boolean
}

/** What of the request a user with these roles gets. Throws a `ProblemError` when that is nothing. */
export function grant(policy: ScopePolicy, roles: readonly string[], request: TokenRequest): Grant {
  const named = roles.flatMap((role) => (Object.hasOwn(policy.roles ?? {}, role) ? [policy.roles![role]!] : []))
  const rules = named.length > 0 ? named : [policy.default]
  const allowed = new Set(rules.flatMap((rule) => rule.scopes))
  const asked = request.scopes && new Set(request.scopes)
  // In the contract's order, so that the same set is the same key of the cache.
  const scopes = allScopes.filter((scope) => allowed.has(scope) && (asked?.has(scope) ?? true))
  if (scopes.length === 0) {
    throw new ProblemError('scope-not-allowed', `This user is allowed ${[...allowed].join(', ')}.`)
  }
  const cap = Math.max(...rules.map((rule) => rule.maxExpiresInMinutes))
  return {
    scopes,
    minutes: Math.min(request.expiresInMinutes ?? cap, cap),
    isAsked: request.expiresInMinutes !== undefined,
  }
}

/** Up to a tenth shorter, so that users who signed in together do not renew together. */
export function jitter(minutes: number, random: () => number): number {
  return Math.max(60, Math.floor(minutes * (1 - 0.1 * random())))
}
