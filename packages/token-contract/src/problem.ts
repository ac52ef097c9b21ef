import { Type, type Static } from 'typebox'

/**
 * Status and title of every problem, by code. Codes are stable: programs branch on them. `detail` describes the single case.
 *
 * @example
 * const { status, title } = problemCatalogue['token-expired'] // 401, 'Sign-in token expired'
 */
export const problemCatalogue = {
  'request-invalid': { status: 400, title: 'Invalid request' },
  'scope-unknown': { status: 400, title: 'Unknown scope' },
  'teams-token-invalid': { status: 400, title: 'Invalid Teams user token' },
  'token-missing': { status: 401, title: 'Sign-in token missing' },
  'token-invalid': { status: 401, title: 'Invalid sign-in token' },
  'token-expired': { status: 401, title: 'Sign-in token expired' },
  'token-not-yet-valid': { status: 401, title: 'Sign-in token not yet valid' },
  'permission-missing': { status: 403, title: 'Missing required scope or role' },
  'scope-not-allowed': { status: 403, title: 'Scopes not allowed for this user' },
  'origin-not-allowed': { status: 403, title: 'Origin not allowed' },
  'identity-unknown': { status: 404, title: 'User has no communication identity' },
  'assignment-unknown': { status: 404, title: 'Teams extension assignment not found' },
  'route-unknown': { status: 404, title: 'Route not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'request-timeout': { status: 408, title: 'Request timeout' },
  'identity-foreign': { status: 409, title: 'Identity belongs to another resource' },
  'body-too-large': { status: 413, title: 'Content too large' },
  'media-type-unsupported': { status: 415, title: 'Unsupported media type: use application/json' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'Request header fields too large' },
  'internal-error': { status: 500, title: 'Internal server error' },
  'driver-unsupported': { status: 501, title: 'Not supported by the configured SDK' },
  'teams-unavailable': { status: 501, title: 'Teams support is disabled' },
  'communication-unavailable': { status: 503, title: 'Azure Communication Services unavailable' },
  'communication-throttled': { status: 503, title: 'Azure Communication Services rate limit reached' },
  'store-unavailable': { status: 503, title: 'Identity store unavailable' },
  'sign-in-unavailable': { status: 503, title: 'Sign-in keys unavailable' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>

export type ProblemCode = keyof typeof problemCatalogue
const problemCodes = Object.keys(problemCatalogue) as ProblemCode[]

/** Media type of every error response. */
export const problemMediaType = 'application/problem+json'

const members = {
  type: Type.String({ description: '`urn:problem-type:acs-kit:` followed by the code' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.Optional(Type.String({ description: 'Cause in this case, and what to do' })),
  retryAfter: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Seconds to wait before retrying; also in `Retry-After`' }),
  ),
  requestId: Type.String({ description: "Id of the request in the service's log" }),
}

const Problem = Type.Object({ ...members, code: Type.Enum(problemCodes) }, { additionalProperties: false })
/** RFC 9457 problem details: the body of every error response. */
export type Problem = Static<typeof Problem>

const codesByStatus = Object.groupBy(problemCodes, (code) => problemCatalogue[code].status)
/**
 * Problem schema for each status. The routes reference them by `$id`, so add them to the app first.
 *
 * @example
 * for (const schema of problemSchemas) app.addSchema(schema)
 */
export const problemSchemas = Object.entries(codesByStatus).map(([status, codes]) =>
  Type.Object({ ...members, code: Type.Enum(codes) }, { $id: `Problem${status}`, additionalProperties: false }),
)

/** Returns the response schemas of a route that can fail with these codes, by status. */
export function problemResponses(codes: readonly ProblemCode[]): Record<string, object> {
  const byStatus = Object.groupBy(codes, (code) => problemCatalogue[code].status)
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, some]) => [
      status,
      {
        description: some.map((code) => `\`${code}\`: ${problemCatalogue[code].title}`).join('; '),
        content: { [problemMediaType]: { schema: { $ref: `Problem${status}#` } } },
      },
    ]),
  )
}
