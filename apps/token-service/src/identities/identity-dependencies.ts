import type { BackgroundTasks } from '../background-tasks.ts'
import type { Communication } from '../communication/communication.ts'
import type { Log } from '../log.ts'
import type { IdentityStore } from './identity-store.ts'
import type { Journal } from './journal.ts'

/** Dependencies of the parts that create and remove identities. */
export interface IdentityDependencies {
  readonly store: IdentityStore
  readonly journal: Journal
  readonly communication: Communication
  readonly backgroundTasks: BackgroundTasks
  /** Drops the cached tokens of a user. */
  readonly dropCache: (userKey: string) => void
  readonly log: Log
}
