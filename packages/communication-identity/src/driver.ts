import type { TokenCredential } from '@azure/core-auth'
import type { ConnectionString } from './connection-string.ts'
import { CommunicationIdentityError } from './errors.ts'

/** SDKs to choose from; the values of `ACS_SDK`. */
export const sdkNames = ['identity', 'administration'] as const
export type SdkName = (typeof sdkNames)[number]

/** Endpoint of a resource, with an access key or an Entra ID credential. */
export type Credentials = ConnectionString | { readonly endpoint: string; readonly credential: TokenCredential }

/**
 * Scopes of api-version 2023-10-01. token-contract and token-client have copies that `tsc` compares, in token-service and
 * token-client, and the emulator has one that the contract suite here compares.
 */
export const scopes = ['chat', 'voip', 'chat.join', 'chat.join.limited', 'voip.join'] as const
export type Scope = (typeof scopes)[number]

/** Communication access token. */
export interface AccessToken {
  readonly token: string
  readonly expiresOn: Date
}

/** New identity and its first access token. */
export interface IdentityWithToken extends AccessToken {
  readonly communicationUserId: string
}

/** Entra ID token of a Teams user, to be exchanged for a communication access token. */
export interface TeamsUserToken {
  /** Access token for Azure Communication Services. */
  readonly entraToken: string
  /** Id of the application that the token was issued to. */
  readonly clientId: string
  /** Object id of the user. */
  readonly userObjectId: string
}

/** Principal of a Microsoft Entra tenant that Teams Phone extensibility serves. */
export interface TeamsPrincipal {
  readonly tenantId: string
  readonly objectId: string
}

/** Permission of a Teams principal to use the resource with Teams Phone extensibility. */
export interface TeamsAssignment {
  readonly principalType: 'user' | 'resourceAccount'
  /** Ids of the applications that may exchange tokens of the user; empty for a resource account. */
  readonly clientIds: readonly string[]
}

/** Makes one attempt of each call with one SDK. Throws that SDK's errors, or `unsupported-by-driver`. */
export interface Driver {
  create(signal: AbortSignal): Promise<string>
  createWithToken(
    scopes: readonly Scope[],
    expiresInMinutes: number | undefined,
    signal: AbortSignal,
  ): Promise<IdentityWithToken>
  issueToken(
    communicationUserId: string,
    scopes: readonly Scope[],
    expiresInMinutes: number | undefined,
    signal: AbortSignal,
  ): Promise<AccessToken>
  revokeTokens(communicationUserId: string, signal: AbortSignal): Promise<void>
  delete(communicationUserId: string, signal: AbortSignal): Promise<void>
  exchangeTeamsToken(token: TeamsUserToken, signal: AbortSignal): Promise<AccessToken>
  getTeamsAssignment(principal: TeamsPrincipal, signal: AbortSignal): Promise<TeamsAssignment | undefined>
  putTeamsAssignment(
    principal: TeamsPrincipal,
    assignment: TeamsAssignment,
    signal: AbortSignal,
  ): Promise<TeamsAssignment>
  deleteTeamsAssignment(principal: TeamsPrincipal, signal: AbortSignal): Promise<void>
}

/** Rejects a missing value: the SDKs do not validate responses with a success status. */
export function requireValue<Value>(value: Value | null | undefined): Value {
  if (value === undefined || value === null || value === '') {
    throw new CommunicationIdentityError('unavailable', 'the response of the service is incomplete')
  }
  return value
}
