import { administer } from './administration-routes.ts'
import type { Clock } from './clock.ts'
import type { EntraPlane } from './entra/entra-plane.ts'
import { getHeader, type RawResponse, type RawRequest } from './raw-request.ts'
import type { FaultPlan } from './faults.ts'
import type { Introspection, ListedIdentity, ListedToken } from './identity/identities.ts'
import { InvalidSettingError } from './invalid-setting-error.ts'
import { isLoopbackHost, isLoopbackOrigin } from './loopback.ts'
import type { QuotaCounter } from './quotas.ts'
import type { RequestLog } from './request-log.ts'
import type { KeySlot } from './access-key.ts'

/** What can be asked of a running emulator, in process and over HTTP alike. */
export interface Administration {
  /** Whether every resource answers: the first ones do while the others are still being opened. */
  readonly isReady: boolean
  readonly clock: Clock
  readonly entra: EntraPlane
  readonly faults: FaultPlan
  readonly quotas: QuotaCounter
  readonly requests: RequestLog
  readonly resources: readonly {
    readonly name: string
    readonly endpoint: string
    readonly immutableResourceId: string
    regenerateKey(slot: KeySlot): string
  }[]
  identities(page: { after?: string; limit?: number }): ListedIdentity[]
  tokens(query: { communicationUserId?: string; reveal?: boolean }): Promise<ListedToken[]>
  introspect(token: string): Introspection
  reset(): Promise<void>
}

const prefix = '/_emulator/'

/** The HTTP form of the administration, for tests in other processes and languages. For this machine only. */
export class AdministrationPlane {
  readonly #emulator: Administration

  constructor(emulator: Administration) {
    this.#emulator = emulator
  }

  static owns(request: RawRequest): boolean {
    return request.path.startsWith(prefix)
  }

  async handle(request: RawRequest): Promise<RawResponse> {
    const refusal = refusalOf(request)
    if (refusal) return problem(403, refusal)
    const cors = corsOf(request)
    if (request.method === 'OPTIONS') return { status: 204, headers: cors }
    try {
      const path = request.path.slice(prefix.length)
      const answer =
        (await administer(this.#emulator, path, request)) ??
        problem(404, `There is no ${request.method} ${request.path}.`)
      return { ...answer, headers: { ...answer.headers, ...cors } }
    } catch (error) {
      if (error instanceof InvalidSettingError) return { ...problem(400, error.message), headers: cors }
      throw error
    }
  }
}

function problem(status: number, message: string): RawResponse {
  return { status, body: { error: { code: status === 404 ? 'NotFound' : 'Refused', message } } }
}

/** Keeps out other machines, and web pages of other sites, which could reach this port through a person's browser. */
function refusalOf({ remoteAddress = '', headers }: RawRequest): string | undefined {
  if (!isLoopbackHost(remoteAddress.replace(/^::ffff:/, ''))) return 'The administration is for this machine only.'
  // Anchored at both ends: from every colon of a long header, the search for its end would cost too much.
  const host = /^(\[[^\]]*\]|[^:]*)(?::\d+)*$/.exec(headers.host ?? '')?.[1] ?? ''
  if (!isLoopbackHost(host)) return 'The administration answers under loopback names only.'
  const origin = getHeader(headers, 'origin')
  if (origin !== undefined && !isLoopbackOrigin(origin)) return `Pages of ${origin} may not use the administration.`
  return undefined
}

function corsOf({ headers }: RawRequest): Record<string, string> {
  const origin = getHeader(headers, 'origin')
  if (origin === undefined) return {}
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
    'Access-Control-Allow-Headers': 'Content-Type',
    Vary: 'Origin',
  }
}
