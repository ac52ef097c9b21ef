import { Type, type Static } from 'typebox'

export const Scope = Type.Enum(['chat', 'voip', 'chat.join', 'chat.join.limited', 'voip.join'], {
  $id: 'Scope',
  description: 'Permission in a communication access token',
})
export type Scope = Static<typeof Scope>

/** Every scope of a communication access token; `tsc` compares the list with communication-identity's in token-service. */
export const scopes: readonly Scope[] = Scope.enum
