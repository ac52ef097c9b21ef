// The token service's HTTP API, as far as a client sees it. Written out, so that nothing has to be installed with this
// package; a test of types holds it against the contract.

export type Scope = 'chat' | 'voip' | 'chat.join' | 'chat.join.limited' | 'voip.join'

export interface TokenResponse {
  /** Identity at Azure Communication Services, `8:acs:<resource>_<user>`. */
  communicationUserId: string
  /** Communication access token, for Azure's Chat and Calling SDKs. */
  token: string
  /** ISO 8601. */
  expiresOn: string
  /** What the token allows. */
  scopes: Scope[]
  /** Endpoint of the resource, as the SDKs' clients take it. */
  endpoint: string
}

export interface IdentityResponse {
  communicationUserId: string
  /** ISO 8601. */
  createdOn: string
  /** Last revocation, ISO 8601; tokens from before it are no good. */
  tokensValidFrom?: string
}

/** Every way in which the service refuses a request. */
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
