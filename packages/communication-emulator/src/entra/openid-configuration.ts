import { wellKnownTenantId } from './tenant.ts'

/** Returns the issuer of a tenant. Shared tenants have a placeholder in it, as in Entra ID. */
export function getIssuer(origin: string, tenant: string = wellKnownTenantId): string {
  return `${origin}/${tenant === wellKnownTenantId ? tenant : '{tenantid}'}/v2.0`
}

/** Returns the discovery document of OpenID Connect. */
export function describeConfiguration(origin: string, tenant: string): object {
  const base = `${origin}/${tenant}`
  return {
    issuer: getIssuer(origin, tenant),
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'none'],
  }
}
