import { scopes } from '@acs-kit/communication-identity'
import { Type, type Static } from 'typebox'
import { json } from './json.ts'

const Rule = ruleWith(1)

const ScopePolicy = Type.Object(
  {
    /** Without scopes, a user needs a role: a restrictive one then can't be evaded by a token without roles. */
    default: ruleWith(0),
    roles: Type.Optional(Type.Record(Type.String(), Rule)),
  },
  { additionalProperties: false },
)
/** What a user may have: by roles, those of several roles together; by default for those without a role named here. */
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

/** Guests can join what others start, and no longer than an hour. */
export const defaultScopePolicy: ScopePolicy = {
  default: { scopes: ['chat', 'voip'], maxExpiresInMinutes: 1440 },
  roles: { guest: { scopes: ['chat.join', 'voip.join'], maxExpiresInMinutes: 60 } },
}
