import { Type, type Static } from 'typebox'

/**
 * Every way a request can fail. The code is stable and made for programs; status and title are RFC 9457's. What happened in
 * the single case is said by the problem's `detail`.
 */
export const problemCatalogue = {
  'request-invalid': { status: 400, title: 'The request does not fit the contract' },
  'scope-unknown': { status: 400, title: 'There is no such scope' },
  'teams-token-invalid': { status: 400, title: 'The Teams user’s token can’t be exchanged' },
  'token-missing': { status: 401, title: 'Sign in first' },
  'token-invalid': { status: 401, title: 'The sign-in token is not valid here' },
  'token-expired': { status: 401, title: 'The sign-in token has expired' },
  'token-not-yet-valid': { status: 401, title: 'The sign-in token is not valid yet' },
  'permission-missing': { status: 403, title: 'The sign-in does not include the permission for this' },
  'scope-not-allowed': { status: 403, title: 'None of the scopes is allowed for this user' },
  'origin-not-allowed': { status: 403, title: 'Pages of this origin may not use the service' },
  'identity-unknown': { status: 404, title: 'This user has no communication identity' },
  'route-unknown': { status: 404, title: 'There is nothing at this address' },
  'method-not-allowed': { status: 405, title: 'This address does not take that method' },
  'request-timeout': { status: 408, title: 'The request did not come in time' },
  'identity-foreign': { status: 409, title: 'The user’s identity belongs to another resource' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'media-type-unsupported': { status: 415, title: 'The body has to be JSON' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  'internal-error': { status: 500, title: 'The service failed' },
  'driver-unsupported': { status: 501, title: 'The SDK that this service runs with can’t do this' },
  'teams-unavailable': { status: 501, title: 'This service exchanges no tokens of Teams users' },
  'communication-unavailable': { status: 503, title: 'Azure Communication Services can’t be reached' },
  'communication-throttled': { status: 503, title: 'Azure Communication Services is at its limit' },
  'store-unavailable': { status: 503, title: 'The identity store can’t be reached' },
  'sign-in-unavailable': { status: 503, title: 'The keys of the sign-in can’t be fetched' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>

export type ProblemCode = keyof typeof problemCatalogue
export const problemCodes = Object.keys(problemCatalogue) as ProblemCode[]

/** Media type of every answer that is not a success. */
export const problemMediaType = 'application/problem+json'

const members = {
  type: Type.String({ description: '`urn:problem-type:acs-kit:` and the code' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.Optional(Type.String({ description: 'What was wrong in this case, and what to do about it' })),
  retryAfter: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Seconds to wait before the next try; also in `Retry-After`' }),
  ),
  requestId: Type.String({ description: 'Finds the request in the service’s log' }),
}

/** RFC 9457 problem details. */
export const Problem = Type.Object({ ...members, code: Type.Enum(problemCodes) }, { additionalProperties: false })
export type Problem = Static<typeof Problem>

const codesByStatus = Object.groupBy(problemCodes, (code) => problemCatalogue[code].status)
/** A problem for each status, to be added to the app under its `$id`: the routes refer to them. */
export const problemSchemas = Object.entries(codesByStatus).map(([status, codes]) =>
  Type.Object({ ...members, code: Type.Enum(codes) }, { $id: `Problem${status}`, additionalProperties: false }),
)

/** The response schemas of a route that can fail with these codes, by status. */
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
