import { Type, type Static } from 'typebox'
import { json } from './json.ts'
import { entraHost } from './mapping-row.ts'
import { isTrustworthy, trustworthyUrl } from './url.ts'

/** Asymmetric algorithms only: a shared secret that verifies tokens also signs them. */
const Algorithm = Type.Enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])

const Audience = Type.String({ minLength: 1 })

const Issuer = Type.Object(
  {
    issuer: Type.String({
      minLength: 1,
      description: '`iss` of its tokens; URL for OIDC discovery if `jwksUri` is not set',
    }),
    audience: Type.Union([Audience, Type.Array(Audience, { minItems: 1 })], {
      description: '`aud` of this service, or a list',
    }),
    algorithms: Type.Optional(Type.Array(Algorithm, { minItems: 1, description: 'Default RS256' })),
    required: Type.Optional(Type.String({ minLength: 1, description: 'Scope or role that every token needs' })),
    admin: Type.Optional(
      Type.String({ minLength: 1, description: 'App role that grants access to the routes for administrators' }),
    ),
    jwksUri: Type.Optional(
      Type.String({ minLength: 1, description: 'URL of the keys, for an issuer without discovery' }),
    ),
    kind: Type.Optional(
      Type.Enum(['oidc', 'entra'], {
        description: '`entra` identifies users by `tid` and `oid`, the default `oidc` by `iss` and `sub`',
      }),
    ),
  },
  { additionalProperties: false },
)
/** A trusted sign-in issuer. */
export type Issuer = Static<typeof Issuer>

export const issuers: (text: string) => readonly Issuer[] = json(Type.Array(Issuer, { minItems: 1 }), findIssues)

/** Yields the issues that the schema cannot express. Skips values that do not match the schema. */
function* findIssues(value: unknown): Generator<string> {
  if (!Array.isArray(value)) return
  const list = value.map((entry: unknown) => (entry ?? {}) as { readonly [Name in keyof Issuer]?: unknown })
  for (const [index, { issuer, jwksUri, kind, required }] of list.entries()) {
    if (isText(issuer)) {
      const first = list.findIndex((other) => other.issuer === issuer)
      if (first !== index) yield `lists an issuer twice, /${first} and /${index}`
      // Messages contain the issuer.
      if (/[?#@\\]/.test(issuer)) yield `/${index}/issuer must have no user name, password, query or fragment`
      if (jwksUri === undefined && !isTrustworthy(issuer)) {
        yield `/${index}/issuer must be ${trustworthyUrl}, unless jwksUri names its keys`
      } else if (kind === 'entra' && !URL.canParse(issuer)) {
        yield `/${index}/issuer must be a URL with the tenant, for kind entra`
      }
    }
    if (isText(jwksUri) && !isTrustworthy(jwksUri)) yield `/${index}/jwksUri must be ${trustworthyUrl}`
    const isEntra = kind === 'entra' || (isText(issuer) && entraHost.test(issuer))
    if (isEntra && required === undefined) {
      yield `/${index} is an Entra ID issuer without required, which would accept ID tokens and application tokens: set required to a scope or app role, such as access_as_user`
    }
  }
}

/** Returns whether a value is a string that is not empty. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
