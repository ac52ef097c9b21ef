import type { Administration } from './administration-plane.ts'
import { parseObject, type RawResponse, type RawRequest } from './raw-request.ts'
import { InvalidSettingError } from './invalid-setting-error.ts'

interface AdministrationRequest {
  readonly emulator: Administration
  /** What stands for `*` in the path. */
  readonly name: string
  readonly query: URLSearchParams
  /** The members of the JSON body; none without one. */
  readonly body: Readonly<Record<string, unknown>>
}

/** Undefined where the thing that the path names is not there. */
type Handler = (request: AdministrationRequest) => RawResponse | undefined | Promise<RawResponse | undefined>

const ok = (body: unknown): RawResponse => ({ status: 200, body })
const done: RawResponse = { status: 204 }

/** By method and path; `*` is one segment. */
const routes: Readonly<Record<string, Handler>> = {
  'GET health': () => ok({ status: 'ok' }),
  'GET ready': ({ emulator }) =>
    emulator.isReady
      ? ok({ status: 'ready' })
      : { status: 503, body: { error: { code: 'NotReady', message: 'Not every resource is open yet.' } } },
  'GET resources': ({ emulator }) =>
    ok(emulator.resources.map(({ name, endpoint, immutableResourceId }) => ({ name, endpoint, immutableResourceId }))),
  'POST resources/*/regenerateKey': ({ emulator, name, body: { keyType } }) => {
    if (keyType !== 'primary' && keyType !== 'secondary') {
      throw new InvalidSettingError('keyType must be "primary" or "secondary"')
    }
    const resource = emulator.resources.find((candidate) => candidate.name === name)
    return resource && ok({ key: resource.regenerateKey(keyType) })
  },
  'GET identities': ({ emulator, query }) => {
    const after = query.get('after')
    const limit = query.get('limit')
    const page = { ...(after !== null && { after }), ...(limit !== null && { limit: readPositive(limit, 'limit') }) }
    return ok(emulator.identities(page))
  },
  'GET tokens': async ({ emulator, query }) => {
    const communicationUserId = query.get('communicationUserId')
    const reveal = query.get('reveal') === 'true'
    return ok(await emulator.tokens({ ...(communicationUserId !== null && { communicationUserId }), reveal }))
  },
  'POST introspect': ({ emulator, body }) => ok(emulator.introspect(readString(body, 'token'))),
  'POST entra/sign-in': async ({ emulator, body }) => {
    const { user: _, ...rest } = body
    const optional = readSignInOptions(rest)
    return ok(await emulator.entra.signIn({ user: readString(body, 'user'), ...optional }))
  },
  'POST entra/rotate-keys': async ({ emulator }) => {
    await emulator.entra.rotateSigningKeys()
    return done
  },
  'GET clock': ({ emulator }) => ok(describeClock(emulator)),
  'PUT clock': ({ emulator, body: { time } }) => {
    const date = typeof time === 'string' ? new Date(time) : undefined
    if (!date || Number.isNaN(date.getTime())) throw new InvalidSettingError('time must be an ISO 8601 time')
    emulator.clock.set(date)
    return ok(describeClock(emulator))
  },
  'POST clock/advance': ({ emulator, body: { milliseconds } }) => {
    emulator.clock.advance(readInteger(milliseconds, 'milliseconds'))
    return ok(describeClock(emulator))
  },
  'GET faults': ({ emulator }) => ok(emulator.faults.list()),
  'POST faults': ({ emulator, body }) => ({ status: 201, body: { id: emulator.faults.add(body) } }),
  'DELETE faults': ({ emulator }) => {
    emulator.faults.clear()
    return done
  },
  'DELETE faults/*': ({ emulator, name }) =>
    emulator.faults.remove(readInteger(name, 'the id of the fault')) ? done : undefined,
  'GET quotas': ({ emulator }) => ok(emulator.quotas.limits),
  // `{ "documented": true }` sets the documented limits, an empty object none.
  'PUT quotas': ({ emulator, body }) => {
    emulator.quotas.set(body['documented'] === true || body)
    return ok(emulator.quotas.limits)
  },
  'GET requests': ({ emulator }) => ok(emulator.requests.list()),
  'DELETE requests': ({ emulator }) => {
    emulator.requests.clear()
    return done
  },
  'POST reset': async ({ emulator }) => {
    await emulator.reset()
    return done
  },
}

/** Undefined where there is nothing. `path` is what follows the prefix of the administration. */
export async function administer(
  emulator: Administration,
  path: string,
  { method, query, body }: RawRequest,
): Promise<RawResponse | undefined> {
  const [first = '', ...rest] = path.split('/')
  const [exact, named] = [path, [first, '*', ...rest.slice(1)].join('/')].map((key) => routes[`${method} ${key}`])
  const handler = exact ?? (rest.length > 0 ? named : undefined)
  return handler?.({ emulator, name: rest[0] ?? '', query, body: readBody(body) })
}

function describeClock({ clock }: Administration) {
  return { now: new Date(clock.now()), offsetMilliseconds: clock.offset }
}

const signInMembers = ['audience', 'scopes', 'roles', 'clientId', 'lifetimeMinutes']

function readSignInOptions(body: Readonly<Record<string, unknown>>) {
  const unknown = Object.keys(body).find((name) => !signInMembers.includes(name))
  if (unknown !== undefined)
    throw new InvalidSettingError(`there is no ${unknown}; there are user, ${signInMembers.join(', ')}`)
  return {
    ...(body['audience'] !== undefined && { audience: readString(body, 'audience') }),
    ...(body['clientId'] !== undefined && { clientId: readString(body, 'clientId') }),
    ...(body['scopes'] !== undefined && { scopes: readStrings(body, 'scopes') }),
    ...(body['roles'] !== undefined && { roles: readStrings(body, 'roles') }),
    ...(body['lifetimeMinutes'] !== undefined && {
      lifetimeMinutes: readPositive(body['lifetimeMinutes'], 'lifetimeMinutes'),
    }),
  }
}

function readString(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name]
  if (typeof value === 'string' && value !== '') return value
  throw new InvalidSettingError(`${name} must be a string`)
}

function readStrings(body: Readonly<Record<string, unknown>>, name: string): string[] {
  const value = body[name]
  if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value
  throw new InvalidSettingError(`${name} must be an array of strings`)
}

function readBody(body: Buffer): Record<string, unknown> {
  const object = parseObject(body)
  if (object) return object
  throw new InvalidSettingError('the body must be a JSON object')
}

function readInteger(value: unknown, name: string): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  if (!Number.isSafeInteger(number)) throw new InvalidSettingError(`${name} must be a whole number`)
  return number as number
}

function readPositive(value: unknown, name: string): number {
  const number = readInteger(value, name)
  if (number < 1) throw new InvalidSettingError(`${name} must be above 0`)
  return number
}
