import { Type, type Static } from 'typebox'
import { CommunicationUserId } from './token.ts'

const identity = {
  communicationUserId: CommunicationUserId,
  createdOn: Type.String({ format: 'date-time' }),
  tokensValidFrom: Type.Optional(
    Type.String({ format: 'date-time', description: 'Time of the last revocation; tokens issued earlier are invalid' }),
  ),
}

export const IdentityResponse = Type.Object(identity, { description: "The user's identity in the identity store" })
export type IdentityResponse = Static<typeof IdentityResponse>

const UserKey = Type.String({
  pattern: '^[A-Za-z0-9_-]{43}$',
  description: 'Opaque key of a user, from the list of users',
})

export const UserParams = Type.Object({ userKey: UserKey })

export const UsersQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'Maximum number of users on a page' }),
    ),
    cursor: Type.Optional(Type.String({ maxLength: 1024, description: '`cursor` of the previous page' })),
    subject: Type.Optional(
      Type.String({ maxLength: 1024, description: 'Lists only users with this subject, from any issuer' }),
    ),
  },
  { additionalProperties: false },
)
export type UsersQuery = Static<typeof UsersQuery>

export const UsersResponse = Type.Object(
  {
    users: Type.Array(
      Type.Object({
        userKey: UserKey,
        issuer: Type.String({ description: "Issuer of the user's sign-in tokens" }),
        subject: Type.String({ description: "The issuer's id for the user: `oid` for Entra ID, otherwise `sub`" }),
        ...identity,
      }),
    ),
    cursor: Type.Optional(
      Type.String({ description: 'Returns the next page; pages before the last may be short or empty' }),
    ),
  },
  { description: 'A page of users' },
)
export type UsersResponse = Static<typeof UsersResponse>
