import type { ScopePolicy } from '@acs-kit/service-settings'
import { scopes as allScopes, type Scope, type TokenRequest } from '@acs-kit/token-contract'
import { ProblemError } from '../problem-error.ts'

/** What a user gets who asks for a token. */
export interface Grant {
  /** The same for the same scopes and minutes, and for no others. */
  readonly key: number
  readonly scopes: readonly Scope[]
  /** Longest lifetime, 60 to 1440. */
  readonly minutes: number
  /** Whether the request named a lifetime. */
  readonly isAsked: boolean
}

interface Allowance {
  readonly scopes: ReadonlySet<Scope>
  readonly maxMinutes: number
}

/** Grants of a policy. */
export class Granter {
  readonly #policy: ScopePolicy
  /** By the list of roles, which a verified user keeps. */
  readonly #allowances = new WeakMap<readonly string[], Allowance>()

  constructor(policy: ScopePolicy) {
    this.#policy = policy
  }

  /** What of the request a user with these roles gets. Throws a `ProblemError` when that is nothing. */
  grant(roles: readonly string[], request: TokenRequest): Grant {
    const allowed = this.#allowanceOf(roles)
    // In the contract's order, so that the same set is the same key.
    const scopes = allScopes.filter((scope) => allowed.scopes.has(scope) && (request.scopes?.includes(scope) ?? true))
    if (scopes.length === 0) {
      const list = [...allowed.scopes].join(', ') || 'none without a role that SCOPE_POLICY names'
      throw new ProblemError('scope-not-allowed', `Scopes allowed for this user: ${list}.`)
    }
    const minutes = Math.min(request.expiresInMinutes ?? allowed.maxMinutes, allowed.maxMinutes)
    return { key: keyOf(scopes, minutes), scopes, minutes, isAsked: request.expiresInMinutes !== undefined }
  }

  #allowanceOf(roles: readonly string[]): Allowance {
    let allowance = this.#allowances.get(roles)
    if (!allowance) this.#allowances.set(roles, (allowance = this.#read(roles)))
    return allowance
  }

  #read(roles: readonly string[]): Allowance {
    const { roles: ruleOf = {}, default: byDefault } = this.#policy
    const named = roles.flatMap((role) => (Object.hasOwn(ruleOf, role) ? [ruleOf[role]!] : []))
    const rules = named.length > 0 ? named : [byDefault]
    return {
      scopes: new Set(rules.flatMap((rule) => rule.scopes)),
      maxMinutes: Math.max(...rules.map((rule) => rule.maxExpiresInMinutes)),
    }
  }
}

function keyOf(scopes: readonly Scope[], minutes: number): number {
  return scopes.reduce((key, scope) => key | (1 << allScopes.indexOf(scope)), minutes << allScopes.length)
}

/** Up to a tenth shorter, so that users who signed in together do not renew together. */
export function jitter(minutes: number, random: () => number): number {
  return Math.max(60, Math.floor(minutes * (1 - 0.1 * random())))
}
