import { cases } from './conformance/cases.ts'
import { TestUsers } from './conformance/test-users.ts'

/** Options of {@link conformanceCases}. */
export interface ConformanceOptions {
  /** Base URL of the service to check. */
  readonly url: string | URL
  /**
   * Returns a valid sign-in token of a user; the same name is the same user. Each case has its own users, `alice-<id>` and
   * for some `bob-<id>`, and deletes their identities at its end. If users cannot be created on demand, use one for every
   * alice and another for every bob: they must have no identity, and only one case may run at a time.
   */
  readonly getSignInToken: (user: string) => Promise<string> | string
  /** Origin whose pages may call the service. Without it, the cases about pages are omitted. */
  readonly allowedOrigin?: string
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch
}

/** Requirement of the client on a token service, for any test runner. */
export interface ConformanceCase {
  readonly name: string
  /** Number of users that the case needs: 1 is alice alone. */
  readonly users: 1 | 2
  /**
   * Checks the service.
   *
   * @throws An `Error` that names the expected and the actual value. It never contains a token, except one that the service
   *   itself repeats in the `code` of a problem.
   */
  readonly run: () => Promise<void>
}

/**
 * Returns the conformance suite: everything that a token service must do for this client, one case each.
 *
 * @param options Service to check, and access to a sign-in that it trusts.
 * @returns The cases, which are independent of each other.
 * @example
 *   for (const { name, run } of conformanceCases({ url, getSignInToken })) test(name, run)
 */
export function conformanceCases(options: ConformanceOptions): ConformanceCase[] {
  const { allowedOrigin } = options
  return cases
    .filter(({ needsOrigin = false }) => allowedOrigin !== undefined || !needsOrigin)
    .map(({ name, users = 1, check }) => ({
      name,
      users,
      async run() {
        const testUsers = new TestUsers(options)
        try {
          await check(testUsers, allowedOrigin ?? '')
        } finally {
          await testUsers.deleteIdentities()
        }
      },
    }))
}
