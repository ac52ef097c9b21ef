import { Type } from 'typebox'
import { HealthResponse, ReadyResponse } from './health.ts'
import { IdentityResponse, UserParams, UsersQuery, UsersResponse } from './identity.ts'
import { problemResponses, type ProblemCode } from './problem.ts'
import { TeamsAssignmentParams, TeamsAssignmentRequest, TeamsAssignmentResponse } from './teams-assignment.ts'
import { TeamsTokenRequest, TeamsTokenResponse, TokenRequest, TokenResponse } from './token.ts'

const anyRoute = [
  'request-invalid',
  'origin-not-allowed',
  'body-too-large',
  'media-type-unsupported',
  'rate-limited',
  'internal-error',
] as const satisfies readonly ProblemCode[]
const signedIn = [
  ...anyRoute,
  'token-missing',
  'token-invalid',
  'token-expired',
  'token-not-yet-valid',
  'permission-missing',
  'sign-in-unavailable',
] as const satisfies readonly ProblemCode[]
const stored = [...signedIn, 'store-unavailable'] as const
const communicationFailures = ['communication-unavailable', 'communication-throttled'] as const
const communicating = [...stored, ...communicationFailures] as const
const assigning = [...signedIn, ...communicationFailures, 'teams-unavailable'] as const

/** Security scheme of the OpenAPI document: a JWT from a configured issuer. */
const signIn = [{ signIn: [] }]

/** Responses to a revocation or deletion. */
const removalResponses = {
  202: {
    description: 'Recorded. Azure Communication Services is unavailable; the service retries until it succeeds',
    type: 'null',
  },
  204: { description: 'Done', type: 'null' },
  ...problemResponses(communicating),
} as const

/**
 * Fastify options of every route of the HTTP API by operation id, without the handlers.
 *
 * @example
 * app.route({ ...routes.health, handler: () => ({ status: 'ok' }) })
 */
export const routes = {
  issueToken: {
    method: 'POST',
    url: '/v1/token',
    schema: {
      summary: 'Issues a communication access token to the signed-in user',
      description:
        "The first request creates the user's identity. A cached token is returned while it has at least 20 minutes left.",
      tags: ['token'],
      security: signIn,
      body: TokenRequest,
      response: {
        200: TokenResponse,
        ...problemResponses([
          ...communicating,
          'scope-unknown',
          'scope-not-allowed',
          'identity-foreign',
          'driver-unsupported',
        ]),
      },
    },
  },
  revokeTokens: {
    method: 'POST',
    url: '/v1/token/revoke',
    schema: {
      summary: 'Revokes all communication access tokens of the signed-in user',
      tags: ['token'],
      security: signIn,
      response: removalResponses,
    },
  },
  getIdentity: {
    method: 'GET',
    url: '/v1/identity',
    schema: {
      summary: 'Returns the communication identity of the signed-in user',
      tags: ['identity'],
      security: signIn,
      response: { 200: IdentityResponse, ...problemResponses([...stored, 'identity-unknown']) },
    },
  },
  deleteIdentity: {
    method: 'DELETE',
    url: '/v1/identity',
    schema: {
      summary: 'Deletes the communication identity of the signed-in user and all data about it',
      tags: ['identity'],
      security: signIn,
      response: removalResponses,
    },
  },
  exchangeTeamsToken: {
    method: 'POST',
    url: '/v1/teams/token',
    schema: {
      summary: 'Exchanges an Entra ID token of the signed-in Teams user for a communication access token',
      tags: ['token'],
      security: signIn,
      body: TeamsTokenRequest,
      response: {
        200: TeamsTokenResponse,
        ...problemResponses([...communicating, 'teams-token-invalid', 'teams-unavailable', 'driver-unsupported']),
      },
    },
  },
  getTeamsAssignment: {
    method: 'GET',
    url: '/v1/teams/assignments/:objectId',
    schema: {
      summary: 'Returns the Teams extension assignment of a user or resource account; for administrators',
      tags: ['teams'],
      security: signIn,
      params: TeamsAssignmentParams,
      response: { 200: TeamsAssignmentResponse, ...problemResponses([...assigning, 'assignment-unknown']) },
    },
  },
  putTeamsAssignment: {
    method: 'PUT',
    url: '/v1/teams/assignments/:objectId',
    schema: {
      summary: 'Lets a user or resource account use the resource with Teams Phone; for administrators',
      description:
        'Creates or replaces the assignment. The applications that may exchange tokens come from the settings.',
      tags: ['teams'],
      security: signIn,
      params: TeamsAssignmentParams,
      body: TeamsAssignmentRequest,
      response: { 200: TeamsAssignmentResponse, ...problemResponses(assigning) },
    },
  },
  deleteTeamsAssignment: {
    method: 'DELETE',
    url: '/v1/teams/assignments/:objectId',
    schema: {
      summary: 'Deletes the Teams extension assignment of a user or resource account; for administrators',
      tags: ['teams'],
      security: signIn,
      params: TeamsAssignmentParams,
      response: { 204: { description: 'Done', type: 'null' }, ...problemResponses(assigning) },
    },
  },
  listUsers: {
    method: 'GET',
    url: '/v1/users',
    schema: {
      summary: 'Lists users with a communication identity; for administrators',
      tags: ['users'],
      security: signIn,
      querystring: UsersQuery,
      response: { 200: UsersResponse, ...problemResponses(stored) },
    },
  },
  revokeUserTokens: {
    method: 'POST',
    url: '/v1/users/:userKey/token/revoke',
    schema: {
      summary: 'Revokes all communication access tokens of a user; for administrators',
      tags: ['users'],
      security: signIn,
      params: UserParams,
      response: removalResponses,
    },
  },
  deleteUser: {
    method: 'DELETE',
    url: '/v1/users/:userKey',
    schema: {
      summary: "Deletes a user's communication identity and all data about it; for administrators",
      tags: ['users'],
      security: signIn,
      params: UserParams,
      response: removalResponses,
    },
  },
  health: {
    method: 'GET',
    url: '/healthz',
    schema: {
      summary: 'Reports that the process serves requests',
      tags: ['operations'],
      response: { 200: HealthResponse, ...problemResponses(anyRoute) },
    },
  },
  ready: {
    method: 'GET',
    url: '/readyz',
    schema: {
      summary: 'Reports the health of the identity store and Azure Communication Services',
      tags: ['operations'],
      response: { 200: ReadyResponse, 503: ReadyResponse, ...problemResponses(anyRoute) },
    },
  },
  openApi: {
    method: 'GET',
    url: '/openapi.json',
    schema: {
      summary: 'Returns this document',
      tags: ['operations'],
      response: {
        200: { description: 'OpenAPI 3.1', ...Type.Object({}, { additionalProperties: true }) },
        ...problemResponses(anyRoute),
      },
    },
  },
} as const
