import type { SignInOptions } from '../entra/entra-plane.ts'
import { errorResponse } from '../error-response.ts'
import { InvalidSettingError } from '../invalid-setting-error.ts'
import type { RawRequest, RawResponse } from '../raw-request.ts'
import { isFromThisMachine } from './access.ts'
import type { Administration } from './administration.ts'
import { chatRoutes } from './chat-routes.ts'
import { toManagedResource } from './managed-resources.ts'
import {
  readInteger,
  readMembers,
  readOptional,
  readPositive,
  readString,
  readStrings,
  type Members,
} from './members.ts'
import { getPage, getPageFile } from './page.ts'

interface AdministrationRequest {
  readonly emulator: Administration
  /** The path segment that matches `*`. */
  readonly name: string
  readonly query: URLSearchParams
  readonly body: Members
  /** Whether the request is from this machine. */
  readonly isLocal: boolean
}

/** Returns the response; by default 204. */
export type Handler = (request: AdministrationRequest) => Result | Promise<Result>
type Result = RawResponse | typeof missing | undefined | void

/** Result for a path that names something that does not exist. */
const missing = 'missing'

const ok = (body: unknown): RawResponse => ({ status: 200, body })

/** Handlers by method and path; `*` is one segment. */
const routes: Readonly<Record<string, Handler>> = {
  'GET ': ({ emulator, isLocal }) => getPage(isLocal ? emulator.administrationToken : ''),
  'GET page/*': ({ name }) => getPageFile(name) ?? missing,
  'GET token': ({ emulator }) => ok({ token: emulator.administrationToken }),
  'GET health': () => ok({ status: 'ok' }),
  'GET ready': ({ emulator }) =>
    emulator.isReady
      ? ok({ status: 'ready' })
      : errorResponse(503, 'NotReady', 'Some resources are still starting: retry.'),
  'GET resources': ({ emulator }) =>
    ok(emulator.resources.map(({ name, endpoint, immutableResourceId }) => ({ name, endpoint, immutableResourceId }))),
  'POST resources/*/regenerateKey': ({ emulator, name, body: { keyType } }) => {
    if (keyType !== 'primary' && keyType !== 'secondary') {
      throw new InvalidSettingError('keyType must be "primary" or "secondary"')
    }
    const resource = emulator.resources.find((candidate) => candidate.name === name)
    return resource ? ok({ key: resource.regenerateKey(keyType) }) : missing
  },
  'GET identities': ({ emulator, query }) => {
    const after = query.get('after')
    const page = { ...(after !== null && { after }), ...readNumber(query, 'limit'), ...readNumber(query, 'newest') }
    return ok(emulator.identities(page))
  },
  'POST identities': ({ emulator, body }) => {
    const options = { ...readOptional(body, 'customId', readString), ...readOptional(body, 'resource', readString) }
    return { status: 201, body: { communicationUserId: emulator.createIdentity(options) } }
  },
  'GET assignments': ({ emulator }) => ok(emulator.assignments()),
  'GET tokens': async ({ emulator, query }) => {
    const communicationUserId = query.get('communicationUserId')
    const ofUser = communicationUserId !== null && { communicationUserId }
    return ok(
      await emulator.tokens({ ...ofUser, ...readNumber(query, 'newest'), reveal: query.get('reveal') === 'true' }),
    )
  },
  'POST introspect': ({ emulator, body }) => ok(emulator.introspect(readString(body['token'], 'token'))),
  'POST entra/sign-in': async ({ emulator, body }) => ok(await emulator.entra.signIn(readSignInOptions(body))),
  'POST entra/rotate-keys': ({ emulator }) => emulator.entra.rotateSigningKeys(),
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
  'DELETE faults': ({ emulator }) => emulator.faults.clear(),
  'DELETE faults/*': ({ emulator, name }) =>
    emulator.faults.remove(readInteger(name, 'the id of the fault')) ? undefined : missing,
  'GET quotas': ({ emulator }) => ok(emulator.quotas.limits),
  // `{ "documented": true }` sets the documented limits, an empty object removes all limits.
  'PUT quotas': ({ emulator, body }) => {
    emulator.quotas.set(body['documented'] === true || body)
    return ok(emulator.quotas.limits)
  },
  ...chatRoutes,
  'GET operations': ({ emulator: { faults, quotas } }) =>
    ok({ faults: faults.operations, events: faults.events, quotas: quotas.operations }),
  'GET managedResources': ({ emulator }) => ok(emulator.resourceManager.resources().map(toManagedResource(emulator))),
  'GET requests': ({ emulator }) => ok(emulator.requests.list()),
  'DELETE requests': ({ emulator }) => emulator.requests.clear(),
  'POST reset': ({ emulator }) => emulator.reset(),
}

/** Handles a request; `path` is its path without the administration's prefix. */
export async function handleAdministration(
  emulator: Administration,
  path: string,
  request: RawRequest,
): Promise<RawResponse> {
  const { method, query, body } = request
  const [first = '', name = '', ...rest] = path.split('/')
  const handler = routes[`${method} ${path}`] ?? routes[`${method} ${[first, '*', ...rest].join('/')}`]
  const isLocal = isFromThisMachine(request)
  const response = handler ? await handler({ emulator, name, query, body: readMembers(body), isLocal }) : missing
  if (response === missing) return errorResponse(404, 'NotFound', `Unknown route or name: ${method} ${request.path}.`)
  return response ?? { status: 204 }
}

/** Reads an optional query parameter, above 0. */
function readNumber<Name extends string>(query: URLSearchParams, name: Name): { [name in Name]?: number } {
  return readOptional({ [name]: query.get(name) ?? undefined }, name, readPositive)
}

function toClockResponse({ clock }: Administration): RawResponse {
  return ok({ now: new Date(clock.now()), offsetMilliseconds: clock.offset })
}

const signInMembers: Record<keyof SignInOptions, (value: unknown, name: string) => unknown> = {
  user: readString,
  audience: readString,
  scopes: readStrings,
  roles: readStrings,
  clientId: readString,
  lifetimeMinutes: readPositive,
}

function readSignInOptions(body: Members): SignInOptions {
  const unknown = Object.keys(body).find((name) => !Object.hasOwn(signInMembers, name))
  if (unknown !== undefined) {
    throw new InvalidSettingError(`unknown member ${unknown}: use ${Object.keys(signInMembers).join(', ')}`)
  }
  const options = Object.entries(signInMembers)
    .filter(([name]) => name === 'user' || body[name] !== undefined)
    .map(([name, read]) => [name, read(body[name], name)])
  return Object.fromEntries(options) as SignInOptions
}
