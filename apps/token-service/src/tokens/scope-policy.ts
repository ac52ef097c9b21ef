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

/** Returns a function that limits a request to what its user is permitted. It throws a `ProblemError` if no scope is left. */
export function createGrants({ default: defaultRule, roles: ruleByRole = {} }: ScopePolicy) {
  /** Allowances by list of roles. A cached sign-in keeps its list. */
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
    // Keeps the contract's order, so that equal sets have equal keys.
    const scopes = allScopes.filter((scope) => allowed.scopes.has(scope) && (request.scopes?.includes(scope) ?? true))
    if (scopes.length === 0) {
      const list = [...allowed.scopes].join(', ')
      const remedy = list ? `Request some of ${list}` : 'Assign a role that SCOPE_POLICY names, and sign in again'
      throw new ProblemError('scope-not-allowed', `The user may not have the requested scopes. ${remedy}.`)
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
