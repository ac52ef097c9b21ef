import { Type, type Static } from 'typebox'
import { isTrustworthy } from './setting.ts'
import { json } from './json.ts'

/** Asymmetric ones only: with a shared secret, whoever can verify could also forge. */
const Algorithm = Type.Enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])

const Issuer = Type.Object(
  {
    issuer: Type.String({ minLength: 1, description: 'The `iss` of its tokens; OIDC discovery starts there' }),
    audience: Type.String({ minLength: 1, description: 'The `aud` that names this service' }),
    algorithms: Type.Optional(Type.Array(Algorithm, { minItems: 1, description: 'Default RS256' })),
    required: Type.Optional(Type.String({ minLength: 1, description: 'Scope or role that each user needs' })),
    admin: Type.Optional(
      Type.String({ minLength: 1, description: 'Scope or role that opens the routes under /v1/users' }),
    ),
    jwksUri: Type.Optional(
      Type.String({ minLength: 1, description: 'Address of the keys, for an issuer without discovery' }),
    ),
    kind: Type.Optional(
      Type.Enum(['oidc', 'entra'], {
        description: '`entra` knows users by `tid` and `oid`, the default `oidc` by `iss` and `sub`',
      }),
    ),
  },
  { additionalProperties: false },
)
export type Issuer = Static<typeof Issuer>

const parseJson = json(Type.Array(Issuer, { minItems: 1 }))

export function issuers(text: string): readonly Issuer[] {
  const list = parseJson(text)
  const untrusted = list
    .flatMap(({ issuer, jwksUri }) => [issuer, jwksUri ?? issuer])
    .find((address) => !isTrustworthy(address))
  if (untrusted !== undefined) throw new Error(`${untrusted} must be an https URL; http only for this machine`)
  const twice = list.find(({ issuer }, index) => list.findIndex((other) => other.issuer === issuer) !== index)
  if (twice) throw new Error(`names ${twice.issuer} twice`)
  return list
}
