import { RestError } from '@azure/data-tables'
import type { ReadyResponse } from '@acs-kit/token-contract'
import type { Communication } from './communication/communication.ts'
import type { IdentityStore } from './identities/identity-store.ts'
import type { Log } from './log.ts'
import { ProblemError } from './problems/problem-error.ts'

/** Key that no user has. Reading it checks the store. */
const unusedUserKey = 'A'.repeat(43)

const storeDenied =
  'the identity store denied access: assign the role Storage Table Data Contributor, or correct the key in the connection string'

export type HealthMonitor = ReturnType<typeof createHealthMonitor>

/** Result of the latest health check of the store and Azure Communication Services. Reading it sends no request. */
export function createHealthMonitor(store: IdentityStore, communication: Communication, log: Log) {
  let state: ReadyResponse = { status: 'not-ready', store: 'unknown', communication: 'unknown' }

  async function check(): Promise<void> {
    const parts = await Promise.all([
      checkPart('the identity store', () => store.find(unusedUserKey)),
      checkPart('Azure Communication Services', () => communication.probe()),
    ])
    const isReady = parts.every((part) => part === 'ok')
    state = { status: isReady ? 'ready' : 'not-ready', store: parts[0], communication: parts[1] }
  }

  async function checkPart(name: string, request: () => Promise<unknown>): Promise<ReadyResponse['store']> {
    try {
      await request()
      return 'ok'
    } catch (error) {
      // Throttled, and so reachable.
      if (error instanceof ProblemError && error.code === 'communication-throttled') return 'ok'
      log.warn({ err: error }, `health check failed: ${isDenied(error) ? storeDenied : `cannot reach ${name}`}`)
      return 'down'
    }
  }

  return {
    check,
    get state() {
      return state
    },
  }
}

/** Whether the store responded with 403. Failures of Azure Communication Services have another form. */
function isDenied(error: unknown): boolean {
  return error instanceof ProblemError && error.cause instanceof RestError && error.cause.statusCode === 403
}
