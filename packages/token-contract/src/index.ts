export { type ReadyResponse } from './health.ts'
export { type IdentityResponse, type UsersQuery, type UsersResponse } from './identity.ts'
export {
  Problem,
  problemCatalogue,
  problemCodes,
  problemMediaType,
  problemSchemas,
  type ProblemCode,
} from './problem.ts'
export { routes } from './routes.ts'
export { Scope, scopes } from './scope.ts'
export { TokenResponse, type TeamsTokenRequest, type TeamsTokenResponse, type TokenRequest } from './token.ts'
