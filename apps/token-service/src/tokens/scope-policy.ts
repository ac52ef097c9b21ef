import type { ScopePolicy } from '@acs-kit/service-settings'
import { scopes as allScopes, type Scope, type TokenRequest } from '@acs-kit/token-contract'
import { ProblemError } from '../problems/problem-error.ts'

/** Scopes and lifetime of a token, of those requested and permitted. */
export interface Grant {
  /** Equal for grants with the same scopes and minutes, otherwise different. */
  readonly key: number
  readonly scopes: readonly Scope[]
  /** Maximum lifetime, 60 to 1440. */
  readonly minutes: number
  readonly isLifetimeRequested: boolean
}

interface Allowance {
  readonly scopes: ReadonlySet<Scope>
  readonly maxMinutes: number
}

/** Returns a function that returns the permitted part of a request. It throws a `ProblemError` if no scope is permitted. */
export function createGrants({ default: defaultRule, roles: ruleByRole = {} }: ScopePolicy) {
  /** By list of roles, which a cached sign-in keeps. */
  const allowances = new WeakMap<readonly string[], Allowance>()

  function evaluate(roles: readonly string[]): Allowance {
    const matching = roles.flatMap((role) => (Object.hasOwn(ruleByRole, role) ? [ruleByRole[role]!] : []))
    const rules = matching.length > 0 ? matching : [defaultRule]
    return {
      scopes: new Set(rules.flatMap((rule) => rule.scopes)),
      maxMinutes: Math.max(...rules.map((rule) => rule.maxExpiresInMinutes)),
    }
  }

  return (roles: readonly string[], request: TokenRequest): Grant => {
    let allowed = allowances.get(roles)
    if (!allowed) allowances.set(roles, (allowed = evaluate(roles)))
    // In the contract's order, so that equal sets have equal keys.
    const scopes = allScopes.filter((scope) => allowed.scopes.has(scope) && (request.scopes?.includes(scope) ?? true))
    if (scopes.length === 0) {
      const list = [...allowed.scopes].join(', ') || 'none without a role that SCOPE_POLICY names'
      throw new ProblemError('scope-not-allowed', `Scopes allowed for this user: ${list}.`)
    }
    const minutes = Math.min(request.expiresInMinutes ?? allowed.maxMinutes, allowed.maxMinutes)
    const isLifetimeRequested = request.expiresInMinutes !== undefined
    return { key: toKey(scopes, minutes), scopes, minutes, isLifetimeRequested }
  }
}

function toKey(scopes: readonly Scope[], minutes: number): number {
  return scopes.reduce((key, scope) => key | (1 << allScopes.indexOf(scope)), minutes << allScopes.length)
}

/** Shortens a lifetime by up to a tenth, so that users who signed in together do not renew together. */
export function jitterLifetime(minutes: number, random: () => number): number {
  return Math.max(60, Math.floor(minutes * (1 - 0.1 * random())))
}
