import type { Clock } from './clock.ts'
import { headerOf, type Answer, type Exchange } from './exchange.ts'
import type { FaultPlan } from './faults.ts'
import type { Introspection, ListedIdentity, ListedToken } from './identity/identities.ts'
import { InvalidSettingError } from './invalid-setting-error.ts'
import type { QuotaCounter } from './quotas.ts'
import type { RequestLog } from './request-log.ts'
import type { KeySlot } from './resource.ts'

/** What can be asked of a running emulator, in process and over HTTP alike. */
export interface Administration {
  /** Whether every resource answers: the first ones do while the others are still being opened. */
  readonly isReady: boolean
  readonly clock: Clock
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
  reset(): void
}

const prefix = '/_emulator/'
const loopbackHost = /^(?:[\w-]+\.)*localhost$|^127(?:\.\d{1,3}){3}$|^\[::1\]$|^::1$/

/** The HTTP form of the administration, for tests in other processes and languages. For this machine only. */
export class AdministrationPlane {
  readonly #emulator: Administration

  constructor(emulator: Administration) {
    this.#emulator = emulator
  }

  static owns(exchange: Exchange): boolean {
    return exchange.path.startsWith(prefix)
  }

  async answer(exchange: Exchange): Promise<Answer> {
    const refusal = refusalOf(exchange)
    if (refusal) return problem(403, refusal)
    const cors = corsOf(exchange)
    if (exchange.method === 'OPTIONS') return { status: 204, headers: cors }
    try {
      const answer = await this.#answer(exchange)
      return { ...answer, headers: { ...answer.headers, ...cors } }
    } catch (error) {
      if (error instanceof InvalidSettingError) return { ...problem(400, error.message), headers: cors }
      throw error
    }
  }

  async #answer(exchange: Exchange): Promise<Answer> {
    const emulator = this.#emulator
    const [noun, id, verb] = exchange.path.slice(prefix.length).split('/')
    const query = exchange.query
    switch (`${exchange.method} ${noun}`) {
      case 'GET health':
        return ok({ status: 'ok' })
      case 'GET ready':
        return emulator.isReady ? ok({ status: 'ready' }) : problem(503, 'Not every resource is open yet.')
      case 'GET resources':
        return ok(
          emulator.resources.map(({ name, endpoint, immutableResourceId }) => ({
            name,
            endpoint,
            immutableResourceId,
          })),
        )
      case 'POST resources': {
        const resource = emulator.resources.find(({ name }) => name === id)
        const slot = readBody(exchange)['keyType']
        if (!resource || verb !== 'regenerateKey') break
        if (slot !== 'primary' && slot !== 'secondary')
          throw new InvalidSettingError('keyType must be "primary" or "secondary"')
        return ok({ key: resource.regenerateKey(slot) })
      }
      case 'GET identities': {
        const after = query.get('after')
        const limit = query.get('limit')
        return ok(
          emulator.identities({
            ...(after !== null && { after }),
            ...(limit !== null && { limit: readInteger(limit, 'limit') }),
          }),
        )
      }
      case 'GET tokens': {
        const communicationUserId = query.get('communicationUserId')
        return ok(
          await emulator.tokens({
            ...(communicationUserId !== null && { communicationUserId }),
            reveal: query.get('reveal') === 'true',
          }),
        )
      }
      case 'POST introspect': {
        const { token } = readBody(exchange)
        if (typeof token !== 'string') throw new InvalidSettingError('token must be a string')
        return ok(emulator.introspect(token))
      }
      case 'GET clock':
        return ok(this.#clock())
      case 'PUT clock': {
        const { time } = readBody(exchange)
        const date = typeof time === 'string' ? new Date(time) : undefined
        if (!date || Number.isNaN(date.getTime())) throw new InvalidSettingError('time must be an ISO 8601 time')
        emulator.clock.set(date)
        return ok(this.#clock())
      }
      case 'POST clock': {
        if (id !== 'advance') break
        emulator.clock.advance(readInteger(readBody(exchange)['milliseconds'], 'milliseconds'))
        return ok(this.#clock())
      }
      case 'GET faults':
        return ok(emulator.faults.list())
      case 'POST faults':
        return { status: 201, body: { id: emulator.faults.add(readBody(exchange)) } }
      case 'DELETE faults':
        if (id === undefined) emulator.faults.clear()
        else if (!emulator.faults.remove(readInteger(id, 'the id of the fault'))) break
        return { status: 204 }
      case 'GET quotas':
        return ok(emulator.quotas.limits)
      case 'PUT quotas':
        // `{ "documented": true }` sets the documented limits, an empty object none.
        emulator.quotas.set(readBody(exchange)['documented'] === true || readBody(exchange))
        return ok(emulator.quotas.limits)
      case 'GET requests':
        return ok(emulator.requests.list())
      case 'DELETE requests':
        emulator.requests.clear()
        return { status: 204 }
      case 'POST reset':
        emulator.reset()
        return { status: 204 }
    }
    return problem(404, `There is no ${exchange.method} ${exchange.path}.`)
  }

  #clock() {
    const { clock } = this.#emulator
    return { now: new Date(clock.now()), offsetMilliseconds: clock.offset }
  }
}

function ok(body: unknown): Answer {
  return { status: 200, body }
}

const problemCodes: Readonly<Record<number, string>> = { 404: 'NotFound', 503: 'NotReady' }

function problem(status: number, message: string): Answer {
  return { status, body: { error: { code: problemCodes[status] ?? 'Refused', message } } }
}

/** Keeps out other machines, and web pages of other sites, which could reach this port through a person's browser. */
function refusalOf({ remoteAddress = '', headers }: Exchange): string | undefined {
  if (!loopbackHost.test(remoteAddress.replace(/^::ffff:/, ''))) return 'The administration is for this machine only.'
  const host = (headers.host ?? '').replace(/(?::\d+)+$/, '')
  if (!loopbackHost.test(host)) return 'The administration answers under loopback names only.'
  const origin = headerOf(headers, 'origin')
  if (origin !== undefined && !isLoopbackOrigin(origin)) return `Pages of ${origin} may not use the administration.`
  return undefined
}

function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && loopbackHost.test(new URL(origin).hostname)
}

function corsOf({ headers }: Exchange): Record<string, string> {
  const origin = headerOf(headers, 'origin')
  if (origin === undefined) return {}
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
    'Access-Control-Allow-Headers': 'Content-Type',
    Vary: 'Origin',
  }
}

function readBody({ body }: Exchange): Record<string, unknown> {
  try {
    const value: unknown = body.length === 0 ? {} : JSON.parse(body.toString())
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Falls through to the same refusal.
  }
  throw new InvalidSettingError('the body must be a JSON object')
}

function readInteger(value: unknown, name: string): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  if (!Number.isSafeInteger(number)) throw new InvalidSettingError(`${name} must be a whole number`)
  return number as number
}
