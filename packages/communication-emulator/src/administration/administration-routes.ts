import { InvalidSettingError } from '../invalid-setting-error.ts'
import type { RawRequest, RawResponse } from '../raw-request.ts'
import type { Administration } from './administration.ts'
import { readInteger, readMembers, readPositive, readString, readStrings, type Members } from './members.ts'

interface AdministrationRequest {
  readonly emulator: Administration
  /** The path segment that matches `*`. */
  readonly name: string
  readonly query: URLSearchParams
  readonly body: Members
}

/** Returns undefined if the thing that the path names does not exist. */
type Handler = (request: AdministrationRequest) => RawResponse | undefined | Promise<RawResponse | undefined>

const ok = (body: unknown): RawResponse => ({ status: 200, body })
const noContent: RawResponse = { status: 204 }

/** Handlers by method and path; `*` is one segment. */
const routes: Readonly<Record<string, Handler>> = {
  'GET health': () => ok({ status: 'ok' }),
  'GET ready': ({ emulator }) =>
    emulator.isReady
      ? ok({ status: 'ready' })
      : { status: 503, body: { error: { code: 'NotReady', message: 'Some resources are still starting.' } } },
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
  'POST entra/sign-in': async ({ emulator, body }) =>
    ok(await emulator.entra.signIn({ user: readString(body, 'user'), ...readSignInOptions(body) })),
  'POST entra/rotate-keys': async ({ emulator }) => {
    await emulator.entra.rotateSigningKeys()
    return noContent
  },
  'GET clock': ({ emulator }) => toClockResponse(emulator),
  'PUT clock': ({ emulator, body: { time } }) => {
    const date = typeof time === 'string' ? new Date(time) : undefined
    if (!date || Number.isNaN(date.getTime())) throw new InvalidSettingError('time must be an ISO 8601 time')
    emulator.clock.set(date)
    return toClockResponse(emulator)
  },
  'POST clock/advance': ({ emulator, body: { milliseconds } }) => {
    emulator.clock.advance(readInteger(milliseconds, 'milliseconds'))
    return toClockResponse(emulator)
  },
  'GET faults': ({ emulator }) => ok(emulator.faults.list()),
  'POST faults': ({ emulator, body }) => ({ status: 201, body: { id: emulator.faults.add(body) } }),
  'DELETE faults': ({ emulator }) => {
    emulator.faults.clear()
    return noContent
  },
  'DELETE faults/*': ({ emulator, name }) =>
    emulator.faults.remove(readInteger(name, 'the id of the fault')) ? noContent : undefined,
  'GET quotas': ({ emulator }) => ok(emulator.quotas.limits),
  // `{ "documented": true }` sets the documented limits, an empty object removes all limits.
  'PUT quotas': ({ emulator, body }) => {
    emulator.quotas.set(body['documented'] === true || body)
    return ok(emulator.quotas.limits)
  },
  'GET requests': ({ emulator }) => ok(emulator.requests.list()),
  'DELETE requests': ({ emulator }) => {
    emulator.requests.clear()
    return noContent
  },
  'POST reset': async ({ emulator }) => {
    await emulator.reset()
    return noContent
  },
}

/** Handles a request; `path` is its path without the administration's prefix. Returns undefined if nothing exists there. */
export async function handleAdministration(
  emulator: Administration,
  path: string,
  { method, query, body }: RawRequest,
): Promise<RawResponse | undefined> {
  const [first = '', name, ...rest] = path.split('/')
  const handler =
    routes[`${method} ${path}`] ??
    (name === undefined ? undefined : routes[`${method} ${[first, '*', ...rest].join('/')}`])
  return handler?.({ emulator, name: name ?? '', query, body: readMembers(body) })
}

function toClockResponse({ clock }: Administration): RawResponse {
  return ok({ now: new Date(clock.now()), offsetMilliseconds: clock.offset })
}

const signInMembers = ['user', 'audience', 'scopes', 'roles', 'clientId', 'lifetimeMinutes']

function readSignInOptions(body: Members) {
  const unknown = Object.keys(body).find((name) => !signInMembers.includes(name))
  if (unknown !== undefined) {
    throw new InvalidSettingError(`unknown member ${unknown}: use ${signInMembers.join(', ')}`)
  }
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
