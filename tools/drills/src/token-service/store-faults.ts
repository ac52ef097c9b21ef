import type { StoreState } from '@acs-kit/test-support/store-proxy'

/** State of the store at each operation, by its index, if operation `faulty` fails. The SDK retries failed operations. */
export const storeFaults = {
  'request lost': (faulty) => (index) => (index === faulty ? 'cut' : 'up'),
  'response lost': (faulty) => (index) => (index === faulty ? 'cut-after' : 'up'),
  'store down': (faulty) => (index) => (index >= faulty ? 'cut' : 'up'),
  'store down after the operation': (faulty) => (index) =>
    index > faulty ? 'cut' : index === faulty ? 'cut-after' : 'up',
  'store hangs': (faulty) => (index) => (index >= faulty ? 'hang' : 'up'),
} as const satisfies Record<string, (faulty: number) => (index: number) => StoreState>
export type StoreFault = keyof typeof storeFaults

/** Faults of the emulator. */
export const acsFaults = {
  'ACS is up': undefined,
  'ACS is down': { status: 503 },
  'ACS throttles': { status: 429, retryAfterSeconds: 1 },
} as const
export type AcsState = keyof typeof acsFaults

export type Combination = readonly [StoreFault, AcsState]
export const allCombinations = (Object.keys(acsFaults) as AcsState[]).flatMap((acs) =>
  (Object.keys(storeFaults) as StoreFault[]).map((fault): Combination => [fault, acs]),
)

/** A request that uses the store. */
export interface StoreRequest {
  /** Method and path; `{}` is a placeholder for the user's key. */
  readonly request: string
  /** Signs in as an administrator. */
  readonly asAdmin?: boolean
  /** Default: the user has an identity that the instance has not cached. */
  readonly user?: 'new' | 'deleted-at-acs' | 'logging-in-elsewhere'
  readonly promises?: 'revoked' | 'deleted'
}

/** All requests that use the store. */
export const storeRequests: readonly StoreRequest[] = [
  { request: 'POST /v1/token', user: 'new' },
  { request: 'POST /v1/token' },
  { request: 'POST /v1/token', user: 'deleted-at-acs' },
  { request: 'GET /v1/identity' },
  { request: 'GET /v1/users?limit=1', asAdmin: true },
  { request: 'POST /v1/token/revoke', promises: 'revoked' },
  { request: 'POST /v1/users/{}/token/revoke', asAdmin: true, promises: 'revoked' },
  { request: 'DELETE /v1/identity', promises: 'deleted' },
  { request: 'DELETE /v1/users/{}', asAdmin: true, promises: 'deleted' },
  { request: 'DELETE /v1/identity', user: 'new', promises: 'deleted' },
  { request: 'DELETE /v1/identity', user: 'logging-in-elsewhere', promises: 'deleted' },
]
