import { SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'

type Authorize = (issuer: SignInIssuer, foreignIssuer: SignInIssuer) => Promise<string>

const secondsFromNow = (seconds: number) => Math.floor(Date.now() / 1000) + seconds
const signed =
  (claims: Record<string, unknown> = {}): Authorize =>
  async (issuer) =>
    `Bearer ${await issuer.sign(claims)}`

/** Authorization headers that the service accepts. */
export const validSignIns: Readonly<Record<string, Authorize>> = {
  user: signed(),
  guest: signed({ sub: 'guest', roles: ['guest'] }),
  admin: signed({ sub: 'admin', roles: ['admin'] }),
}

/** Authorization headers that the service rejects. */
export const invalidSignIns: Readonly<Record<string, Authorize>> = {
  expired: signed({ exp: secondsFromNow(-60) }),
  early: signed({ nbf: secondsFromNow(3600) }),
  'other audience': signed({ aud: 'api://other' }),
  'other issuer': async (_, foreignIssuer) => `Bearer ${await foreignIssuer.sign()}`,
  'other key': async ({ issuer }, foreignIssuer) => `Bearer ${await foreignIssuer.sign({ iss: issuer })}`,
  unsigned: async (issuer) => {
    const [, claims] = (await issuer.sign()).split('.')
    return `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`
  },
  'without permission': signed({ scp: 'other', roles: ['admin'] }),
  basic: async () => `Basic ${Buffer.from('alice:secret').toString('base64')}`,
  garbage: async () => 'Bearer abc',
}

/** Creates a header of each kind. */
export async function createAuthorizations(issuer: SignInIssuer): Promise<ReadonlyMap<string, string>> {
  await using foreignIssuer = await SignInIssuer.start()
  const authorizations = new Map<string, string>()
  for (const [kind, authorize] of Object.entries({ ...validSignIns, ...invalidSignIns })) {
    authorizations.set(kind, await authorize(issuer, foreignIssuer))
  }
  return authorizations
}
