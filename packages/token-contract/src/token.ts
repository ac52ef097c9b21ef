import { Type, type Static } from 'typebox'
import { Scope } from './scope.ts'

export const CommunicationUserId = Type.String({
  description: 'Identity at Azure Communication Services, `8:acs:<resource>_<user>`',
})

export const TokenRequest = Type.Object(
  {
    scopes: Type.Optional(
      Type.Array(Scope, {
        minItems: 1,
        maxItems: 20,
        description: 'Asked for; granted is what of it the user is allowed. Default: all that the user is allowed',
      }),
    ),
    expiresInMinutes: Type.Optional(
      Type.Integer({
        minimum: 60,
        maximum: 1440,
        description: 'Longest lifetime asked for; the token may live a little shorter. Default: the user’s cap',
      }),
    ),
    refresh: Type.Optional(Type.Boolean({ description: 'A new token, even when a cached one is still fresh' })),
  },
  { additionalProperties: false },
)
export type TokenRequest = Static<typeof TokenRequest>

export const TokenResponse = Type.Object(
  {
    communicationUserId: CommunicationUserId,
    token: Type.String({ description: 'Communication access token, for Azure’s Chat and Calling SDKs' }),
    expiresOn: Type.String({ format: 'date-time' }),
    scopes: Type.Array(Scope, { description: 'What the token allows' }),
    endpoint: Type.String({ format: 'uri', description: 'Endpoint of the resource, as the SDKs’ clients take it' }),
  },
  { description: 'A token with at least 20 minutes left' },
)
export type TokenResponse = Static<typeof TokenResponse>

export const TeamsTokenRequest = Type.Object(
  {
    token: Type.String({
      minLength: 1,
      maxLength: 16_384,
      description:
        'Entra ID access token of the same user, for Azure Communication Services with `Teams.ManageCalls` or `Teams.ManageChats`',
    }),
  },
  { additionalProperties: false },
)
export type TeamsTokenRequest = Static<typeof TeamsTokenRequest>

export const TeamsTokenResponse = Type.Object(
  {
    token: Type.String({ description: 'Communication access token of the Teams user' }),
    expiresOn: Type.String({ format: 'date-time', description: 'The same as the Entra ID token’s' }),
    endpoint: Type.String({ format: 'uri' }),
  },
  { description: 'A token that is never cached here' },
)
export type TeamsTokenResponse = Static<typeof TeamsTokenResponse>
