import { Type } from 'typebox'

export const TeamsAssignmentParams = Type.Object({
  objectId: Type.String({
    format: 'uuid',
    description: 'Object id of a user or resource account of the configured tenant',
  }),
})

const PrincipalType = Type.Enum(['user', 'resourceAccount'], { description: 'Default: `user`' })

export const TeamsAssignmentRequest = Type.Object(
  { principalType: Type.Optional(PrincipalType) },
  { additionalProperties: false },
)

export const TeamsAssignmentResponse = Type.Object(
  {
    tenantId: Type.String(),
    objectId: Type.String(),
    principalType: PrincipalType,
    clientIds: Type.Array(Type.String(), {
      description: "Applications that may exchange the user's tokens; empty for a resource account",
    }),
  },
  { description: 'The assignment in Azure Communication Services' },
)
