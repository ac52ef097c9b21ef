import { Type, type Static } from 'typebox'

/** What a communication access token can allow: the scopes of the service's api-version 2023-10-01. */
export const Scope = Type.Enum(['chat', 'voip', 'chat.join', 'chat.join.limited', 'voip.join'], {
  $id: 'Scope',
  description: 'Right that a communication access token carries',
})
export type Scope = Static<typeof Scope>

export const scopes: readonly Scope[] = Scope.enum
