import type { ChatAdministration } from '../chat/chat-administration.ts'
import type { Clock } from '../clock.ts'
import type { EmulatedResource } from '../emulated-resources.ts'
import type { EntraPlane } from '../entra/entra-plane.ts'
import type { FaultPlan } from '../fault-plan.ts'
import type { ListedAssignment } from '../identity/assignments.ts'
import type { ListedIdentity } from '../identity/identities.ts'
import type { Introspection, ListedToken } from '../identity/token-introspection.ts'
import type { QuotaCounter } from '../quotas.ts'
import type { RequestLog } from '../request-log.ts'
import type { ResourceManagerPlane } from '../resource-manager/resource-manager-plane.ts'

/** The operations on a running emulator, in process and over HTTP. */
export interface Administration {
  /** Whether every resource accepts requests; the first ones do while the others are still starting. */
  readonly isReady: boolean
  /** Token that pages and other machines send. */
  readonly administrationToken: string
  readonly chat: ChatAdministration
  readonly clock: Clock
  readonly entra: EntraPlane
  readonly faults: FaultPlan
  readonly quotas: QuotaCounter
  readonly requests: RequestLog
  readonly resourceManager: ResourceManagerPlane
  readonly resources: readonly EmulatedResource[]
  createIdentity(options: { customId?: string; resource?: string }): string
  identities(page: { after?: string; limit?: number; newest?: number }): ListedIdentity[]
  assignments(): ListedAssignment[]
  tokens(query: { communicationUserId?: string; newest?: number; reveal?: boolean }): Promise<ListedToken[]>
  introspect(token: string): Introspection
  reset(): Promise<void>
}
