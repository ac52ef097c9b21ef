import { Type, type Static } from 'typebox'
import { Scope } from './scope.ts'

export const CommunicationUserId = Type.String({
  description: 'Azure Communication Services identity, `8:acs:<resource>_<user>`',
})

export const TokenRequest = Type.Object(
  {
    scopes: Type.Optional(
      Type.Array(Scope, {
        minItems: 1,
        maxItems: 20,
        description:
          "Requested scopes; the response contains the permitted subset. Default: all of the user's permitted scopes",
      }),
    ),
    expiresInMinutes: Type.Optional(
      Type.Integer({
        minimum: 60,
        maximum: 1440,
        description: "Maximum lifetime; the token may expire slightly earlier. Default: the user's maximum",
      }),
    ),
    refresh: Type.Optional(Type.Boolean({ description: 'Issues a new token even if a cached one is still valid' })),
  },
  { additionalProperties: false },
)
export type TokenRequest = Static<typeof TokenRequest>

/** Response of `POST /v1/token`. */
export const TokenResponse = Type.Object(
  {
    communicationUserId: CommunicationUserId,
    token: Type.String({ description: "Communication access token for Azure's Chat and Calling SDKs" }),
    expiresOn: Type.String({ format: 'date-time' }),
    scopes: Type.Array(Scope, { description: 'Scopes of the token' }),
    endpoint: Type.String({ format: 'uri', description: "Endpoint of the resource, for the SDKs' clients" }),
  },
  { description: 'A token valid for at least 20 more minutes' },
)
export type TokenResponse = Static<typeof TokenResponse>

export const TeamsTokenRequest = Type.Object(
  {
    token: Type.String({
      minLength: 1,
      maxLength: 16_384,
      description:
        "The user's Entra ID access token for Azure Communication Services, with `Teams.ManageCalls` or `Teams.ManageChats`",
    }),
  },
  { additionalProperties: false },
)
export type TeamsTokenRequest = Static<typeof TeamsTokenRequest>

export const TeamsTokenResponse = Type.Object(
  {
    token: Type.String({ description: 'Communication access token of the Teams user' }),
    expiresOn: Type.String({ format: 'date-time', description: 'Expiry of the Entra ID token' }),
    endpoint: Type.String({ format: 'uri' }),
  },
  { description: 'A token that the service does not cache' },
)
export type TeamsTokenResponse = Static<typeof TeamsTokenResponse>
