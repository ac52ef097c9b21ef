// Types of the token service's HTTP API. Copied from token-contract, so that this package has no dependencies; a type test
// compares the two.

/** Permission that a communication access token grants. */
export type Scope = 'chat' | 'voip' | 'chat.join' | 'chat.join.limited' | 'voip.join'

/** Token with the identity it belongs to. */
export interface TokenResponse {
  /** Identity in Azure Communication Services, `8:acs:<resource>_<user>`. */
  communicationUserId: string
  /** Communication access token for Azure's Chat and Calling SDKs. */
  token: string
  /** Expiry, ISO 8601. */
  expiresOn: string
  /** Granted scopes. */
  scopes: Scope[]
  /** Endpoint of the resource, an argument of the SDKs' clients. */
  endpoint: string
}

/** Communication identity of the signed-in user. */
export interface IdentityResponse {
  communicationUserId: string
  /** Creation, ISO 8601. */
  createdOn: string
  /** Last revocation, ISO 8601; tokens issued earlier are invalid. */
  tokensValidFrom?: string
}

/** Code of the problem details with which the service rejects a request. */
export type ProblemCode =
  | 'request-invalid'
  | 'scope-unknown'
  | 'teams-token-invalid'
  | 'token-missing'
  | 'token-invalid'
  | 'token-expired'
  | 'token-not-yet-valid'
  | 'permission-missing'
  | 'scope-not-allowed'
  | 'origin-not-allowed'
  | 'identity-unknown'
  | 'assignment-unknown'
  | 'route-unknown'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'identity-foreign'
  | 'body-too-large'
  | 'media-type-unsupported'
  | 'rate-limited'
  | 'headers-too-large'
  | 'internal-error'
  | 'driver-unsupported'
  | 'teams-unavailable'
  | 'communication-unavailable'
  | 'communication-throttled'
  | 'store-unavailable'
  | 'sign-in-unavailable'
