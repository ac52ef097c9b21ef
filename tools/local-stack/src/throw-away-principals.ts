/** Somebody whose identity may be deleted, known by a sign-in token alone. */
export interface ThrowAwayPrincipal {
  /** The environment variable of the token. */
  readonly variable: string
  readonly token: string
}

const first = 'SIGN_IN_TOKEN'
/** For the cases in which there is somebody else. */
export const otherVariable = 'SIGN_IN_TOKEN_OTHER'

/** From the environment, since every process of a machine can read an argument. Throws without repeating a token. */
export function readPrincipals(environment: NodeJS.ProcessEnv): ThrowAwayPrincipal[] {
  const principals = [first, otherVariable].flatMap((variable) => {
    const token = environment[variable]?.trim()
    if (!token) return []
    if (/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return [{ variable, token }]
    throw new Error(`${variable} is no JWT: give the bare access token, without quotes, "Bearer" or JSON around it`)
  })
  if (principals[0]?.variable !== first)
    throw new Error(
      `there is no sign-in token: set ${first} to one of a throw-away principal (infra/README.md says how)`,
    )
  const [one, other] = principals.map(({ token }) => personOf(token))
  if (one !== undefined && one === other)
    throw new Error(`${first} and ${otherVariable} are of the same principal: sign in as two, or leave out the second`)
  return principals
}

/** Who it is to the application that the token is for: Entra ID, too, has one `sub` for that. */
function personOf(token: string): string | undefined {
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
    return JSON.stringify([payload['iss'], payload['sub']])
  } catch {
    return undefined
  }
}
