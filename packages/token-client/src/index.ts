export { type Clock } from './clock.ts'
export { type IdentityResponse, type ProblemCode, type Scope, type TokenResponse } from './contract.ts'
export { type GetSignInToken } from './service-client.ts'
export {
  tokenSource,
  type CallOptions,
  type Completion,
  type ServiceTokenSource,
  type ServiceTokenSourceOptions,
} from './service-token-source.ts'
export { customTokenSource, literalTokenSource } from './other-token-sources.ts'
export { type CustomFetchContext } from './token-cache.ts'
export { TokenError, type ClientErrorCode, type TokenErrorCode } from './token-error.ts'
export {
  type AccessToken,
  type GetTokenOptions,
  type TokenRequest,
  type TokenSource,
  type TokenSourceOptions,
} from './token-source.ts'
