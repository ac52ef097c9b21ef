import { Type } from 'typebox'
import { HealthResponse, ReadyResponse } from './health.ts'
import { IdentityResponse, UserParams, UsersQuery, UsersResponse } from './identity.ts'
import { problemResponses, type ProblemCode } from './problem.ts'
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
const communicating = [...stored, 'communication-unavailable', 'communication-throttled'] as const

/** The security scheme of the OpenAPI document: a JWT of one of the configured issuers. */
const signIn = [{ signIn: [] }]

const done = { description: 'Done', type: 'null' } as const
const accepted = {
  description: 'Recorded. Azure Communication Services could not be reached, the service tries on until it is done',
  type: 'null',
} as const

/** The HTTP API, route by route, in the form that Fastify takes. */
export const routes = {
  issueToken: {
    method: 'POST',
    url: '/v1/token',
    schema: {
      operationId: 'issueToken',
      summary: 'A communication access token for the signed-in user',
      description: 'The first call creates the user’s identity. A token that is still fresh is handed out again.',
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
      operationId: 'revokeTokens',
      summary: 'Revokes all communication access tokens of the signed-in user',
      tags: ['token'],
      security: signIn,
      response: { 202: accepted, 204: done, ...problemResponses(communicating) },
    },
  },
  getIdentity: {
    method: 'GET',
    url: '/v1/identity',
    schema: {
      operationId: 'getIdentity',
      summary: 'The communication identity of the signed-in user',
      tags: ['identity'],
      security: signIn,
      response: { 200: IdentityResponse, ...problemResponses([...stored, 'identity-unknown']) },
    },
  },
  deleteIdentity: {
    method: 'DELETE',
    url: '/v1/identity',
    schema: {
      operationId: 'deleteIdentity',
      summary: 'Erases the communication identity of the signed-in user and all that is known about it',
      tags: ['identity'],
      security: signIn,
      response: { 202: accepted, 204: done, ...problemResponses(communicating) },
    },
  },
  exchangeTeamsToken: {
    method: 'POST',
    url: '/v1/teams/token',
    schema: {
      operationId: 'exchangeTeamsToken',
      summary: 'A communication access token for the signed-in Teams user, in exchange for one of Entra ID',
      tags: ['token'],
      security: signIn,
      body: TeamsTokenRequest,
      response: {
        200: TeamsTokenResponse,
        ...problemResponses([...communicating, 'teams-token-invalid', 'teams-unavailable', 'driver-unsupported']),
      },
    },
  },
  listUsers: {
    method: 'GET',
    url: '/v1/users',
    schema: {
      operationId: 'listUsers',
      summary: 'Users who have a communication identity; for administrators',
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
      operationId: 'revokeUserTokens',
      summary: 'Revokes all communication access tokens of a user; for administrators',
      tags: ['users'],
      security: signIn,
      params: UserParams,
      response: { 202: accepted, 204: done, ...problemResponses(communicating) },
    },
  },
  deleteUser: {
    method: 'DELETE',
    url: '/v1/users/:userKey',
    schema: {
      operationId: 'deleteUser',
      summary: 'Erases a user’s communication identity and all that is known about it; for administrators',
      tags: ['users'],
      security: signIn,
      params: UserParams,
      response: { 202: accepted, 204: done, ...problemResponses(communicating) },
    },
  },
  health: {
    method: 'GET',
    url: '/healthz',
    schema: {
      operationId: 'health',
      summary: 'Whether the process serves',
      tags: ['operations'],
      response: { 200: HealthResponse, ...problemResponses(anyRoute) },
    },
  },
  ready: {
    method: 'GET',
    url: '/readyz',
    schema: {
      operationId: 'ready',
      summary: 'Whether identity store and Azure Communication Services were reached lately',
      tags: ['operations'],
      response: { 200: ReadyResponse, 503: ReadyResponse, ...problemResponses(anyRoute) },
    },
  },
  openApi: {
    method: 'GET',
    url: '/openapi.json',
    schema: {
      operationId: 'openApi',
      summary: 'This document',
      tags: ['operations'],
      response: {
        200: { description: 'OpenAPI 3.1', ...Type.Object({}, { additionalProperties: true }) },
        ...problemResponses(anyRoute),
      },
    },
  },
} as const
