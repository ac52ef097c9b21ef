import { getUser } from '../service-client.ts'

/** Principal whose identity may be deleted, known by its sign-in token only. */
export interface TestPrincipal {
  /** Environment variable of the token. */
  readonly variable: string
  readonly token: string
}

const firstVariable = 'SIGN_IN_TOKEN'
/** Optional, for the cases with two users. */
export const secondVariable = 'SIGN_IN_TOKEN_OTHER'

/** Reads the principals from the environment: other processes can see arguments. Errors never contain a token. */
export function readTestPrincipals(environment: Readonly<Record<string, string | undefined>>): TestPrincipal[] {
  const principals = [firstVariable, secondVariable].flatMap((variable) => {
    const token = environment[variable]?.trim()
    if (!token) return []
    if (/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return [{ variable, token }]
    throw new Error(`${variable} is not a JWT: pass the bare access token, without quotes, "Bearer" or JSON`)
  })
  if (principals[0]?.variable !== firstVariable)
    throw new Error(`${firstVariable} is missing: set it to an access token of a test user for the service`)
  const [first, second] = principals.map(({ token }) => getUser(token))
  if (first !== undefined && first === second)
    throw new Error(
      `${firstVariable} and ${secondVariable} belong to the same principal: sign in as two, or unset ${secondVariable}`,
    )
  return principals
}
