import { scopes } from '@acs-kit/communication-identity'
import { Type, type Static } from 'typebox'
import { json } from './json.ts'

const ScopePolicy = Type.Object(
  {
    /** Rule for users without a listed role. Without scopes, it makes a role mandatory. */
    default: ruleWith(0),
    roles: Type.Optional(Type.Record(Type.String(), ruleWith(1))),
  },
  { additionalProperties: false },
)
/** Scopes and maximum lifetimes by role. Several roles add up; `default` applies to users without a role listed here. */
export type ScopePolicy = Static<typeof ScopePolicy>

export const scopePolicy = json(ScopePolicy)

function ruleWith(minItems: number) {
  return Type.Object(
    {
      scopes: Type.Array(Type.Enum([...scopes]), { minItems }),
      maxExpiresInMinutes: Type.Integer({ minimum: 60, maximum: 1440 }),
    },
    { additionalProperties: false },
  )
}

/** Guests may join calls and chats, for up to an hour. */
export const defaultScopePolicy: ScopePolicy = {
  default: { scopes: ['chat', 'voip'], maxExpiresInMinutes: 1440 },
  roles: { guest: { scopes: ['chat.join', 'voip.join'], maxExpiresInMinutes: 60 } },
}
