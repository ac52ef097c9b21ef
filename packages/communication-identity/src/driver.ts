import type { TokenCredential } from '@azure/core-auth'
import type { ConnectionString } from './connection-string.ts'
import { CommunicationIdentityError } from './errors.ts'

export const sdkNames = ['identity', 'administration'] as const
export type SdkName = (typeof sdkNames)[number]

/** How to reach a resource: with an access key, or with an Entra ID credential. */
export type Credentials = ConnectionString | { readonly endpoint: string; readonly credential: TokenCredential }

/**
 * Scopes of api-version 2023-10-01. token-contract and token-client have copies that `tsc` compares, in token-service and
 * token-client, and the emulator has one that the contract suite here compares.
 */
export const scopes = ['chat', 'voip', 'chat.join', 'chat.join.limited', 'voip.join'] as const
export type Scope = (typeof scopes)[number]

export interface AccessToken {
  readonly token: string
  readonly expiresOn: Date
}

export interface IdentityWithToken extends AccessToken {
  readonly communicationUserId: string
}

export interface TeamsUserToken {
  /** Entra ID access token of a Teams user, for Azure Communication Services. */
  readonly entraToken: string
  /** Application (client) id that the token was issued to. */
  readonly clientId: string
  /** Object id of the user. */
  readonly userObjectId: string
}

/** One attempt of each call with one SDK; throws that SDK's errors, or that it can't. */
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
}

/** The SDKs pass on whatever came with a success status, even nothing. */
export function requireAnswer<Value>(value: Value | null | undefined): Value {
  if (value === undefined || value === null || value === '') {
    throw new CommunicationIdentityError('unavailable', 'the answer of the service lacks what was asked for')
  }
  return value
}
