import { Type, type Static } from 'typebox'
import { json } from './json.ts'
import { isTrustworthy, trustworthyUrl } from './url.ts'

/** Asymmetric ones only: with a shared secret, whoever can verify could also forge. */
const Algorithm = Type.Enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])

const Audience = Type.String({ minLength: 1 })

const Issuer = Type.Object(
  {
    issuer: Type.String({
      minLength: 1,
      description: 'The `iss` of its tokens; OIDC discovery starts there without `jwksUri`',
    }),
    audience: Type.Union([Audience, Type.Array(Audience, { minItems: 1 })], {
      description: 'The `aud` that names this service, or a list of them',
    }),
    algorithms: Type.Optional(Type.Array(Algorithm, { minItems: 1, description: 'Default RS256' })),
    required: Type.Optional(Type.String({ minLength: 1, description: 'Scope or role that each user needs' })),
    admin: Type.Optional(Type.String({ minLength: 1, description: 'App role that opens the routes under /v1/users' })),
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

/** Hosts of Entra ID's issuers, in all clouds and for external users. */
const entraHost =
  /^https:\/\/(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net|[\w-]+\.(?:ciamlogin|b2clogin)\.com)\//i

export const issuers: (text: string) => readonly Issuer[] = json(Type.Array(Issuer, { minItems: 1 }), findIssues)

/** Finds what the schema can't express. What does not fit the schema is skipped. */
function* findIssues(value: unknown): Generator<string> {
  if (!Array.isArray(value)) return
  const list = value.map((entry: unknown) => (entry ?? {}) as { readonly [Name in keyof Issuer]?: unknown })
  for (const [index, { issuer, jwksUri, kind, required }] of list.entries()) {
    if (isText(issuer)) {
      const first = list.findIndex((other) => other.issuer === issuer)
      if (first !== index) yield `lists an issuer twice, /${first} and /${index}`
      // Messages name the issuer.
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
      yield `/${index} is an issuer of Entra ID without required, which would accept ID tokens and tokens of applications: set required to a scope or app role, such as access_as_user`
    }
  }
}

/** Whether a value fits the schema of a text that is not empty. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
