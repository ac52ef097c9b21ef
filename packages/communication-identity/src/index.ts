export type { CallOptions } from './calls.ts'
export {
  createCommunicationIdentities,
  parseSdkName,
  type CommunicationIdentities,
  type CommunicationIdentitiesOptions,
  type IssueOptions,
  type Operation,
  type Target,
} from './communication-identities.ts'
export { parseConnectionString, parseEndpoint, type ConnectionString } from './connection-string.ts'
export {
  scopes,
  sdkNames,
  type AccessToken,
  type IdentityWithToken,
  type Scope,
  type SdkName,
  type TeamsAssignment,
  type TeamsPrincipal,
  type TeamsUserToken,
} from './driver.ts'
export { CommunicationIdentityError, type FailureCode } from './errors.ts'
export { retryAfterSeconds } from './retry-after.ts'
