import { Type, type Static } from 'typebox'
import { CommunicationUserId } from './token.ts'

const identity = {
  communicationUserId: CommunicationUserId,
  createdOn: Type.String({ format: 'date-time' }),
  tokensValidFrom: Type.Optional(
    Type.String({ format: 'date-time', description: 'Last revocation; tokens from before it are no good' }),
  ),
}

export const IdentityResponse = Type.Object(identity, { description: 'The user’s identity, as it is recorded' })
export type IdentityResponse = Static<typeof IdentityResponse>

const UserKey = Type.String({
  pattern: '^[A-Za-z0-9_-]{43}$',
  description: 'Opaque key of a user, from the list of users',
})

export const UserParams = Type.Object({ userKey: UserKey })

export const UsersQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'Users on a page' })),
    cursor: Type.Optional(Type.String({ maxLength: 1024, description: 'From the page before' })),
    subject: Type.Optional(
      Type.String({ maxLength: 1024, description: 'Only users of this subject, whatever the issuer' }),
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
        issuer: Type.String({ description: 'Who vouched for the user' }),
        subject: Type.String({ description: 'The issuer’s name for the user: `oid` from Entra ID, else `sub`' }),
        ...identity,
      }),
    ),
    cursor: Type.Optional(
      Type.String({ description: 'Asks for the next page; a page may be short, even empty, before the last' }),
    ),
  },
  { description: 'A page of users' },
)
export type UsersResponse = Static<typeof UsersResponse>
