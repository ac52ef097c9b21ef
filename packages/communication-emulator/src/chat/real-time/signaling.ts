import { randomBytes } from 'node:crypto'
import { getResponse } from '../../error-response.ts'
import { getBearerToken } from '../../identity/bearer.ts'
import { getHeader, getOrigin, parseObject, type RawRequest, type RawResponse } from '../../raw-request.ts'
import type { Resource } from '../../resource.ts'
import { unauthorized } from '../chat-error.ts'
import { checkPermission, type ChatAuthentication, type ChatUser } from '../chat-user.ts'
import { parametersLifetimeSeconds, type ConnectParameters } from './connect-parameters.ts'
import { toPath } from './connection.ts'
import type { Sessions } from './sessions.ts'

/** Seconds without a packet after which a client closes its connection. */
const heartbeatTimeoutSeconds = 70

/** Methods and paths by operation. An endpoint that ends in a slash doubles the first one of a path. */
const routes = {
  getRealTimeConfiguration: { method: 'GET', path: /^\/{1,2}chat\/config\/realTimeNotifications$/i },
  openTrouterSession: { method: 'POST', path: /^\/{1,2}v4\/a$/i },
  startSocket: { method: 'GET', path: /^\/{1,2}socket\.io\/1\/?$/i },
  registerForEvents: { method: 'POST', path: /^\/{1,2}v3\/registrations$/i },
  unregisterFromEvents: { method: 'DELETE', path: /^\/{1,2}v3\/registrations\/[^/]+$/i },
}

type SignalingOperation = keyof typeof routes

type Handler = (request: RawRequest, user: ChatUser, resource: Resource) => RawResponse

export const signalingOperations = Object.keys(routes) as SignalingOperation[]

/** Paths of the routes, and of those that are not emulated. */
const ownPath = /^\/{1,2}(?:chat\/config|v4|v3|socket\.io)\//i

export function isSignaling({ path }: RawRequest): boolean {
  return ownPath.test(path)
}

/** Returns the operation of a request; undefined for a route of another service. */
export function getSignalingOperation({ method, path }: RawRequest): SignalingOperation | undefined {
  return signalingOperations.find((operation) => {
    const route = routes[operation]
    return route.method === method && route.path.test(path)
  })
}

export interface SignalingOptions {
  readonly authenticate: ChatAuthentication
  readonly parameters: ConnectParameters
  readonly sessions: Sessions
}

/** Creates the handler of the requests with which a client finds the signaling, and gets a session for its WebSocket. */
export function createSignaling({ authenticate, parameters, sessions }: SignalingOptions) {
  async function handle(request: RawRequest, resource: Resource): Promise<RawResponse> {
    const operation = getSignalingOperation(request)
    if (operation === undefined) return notFound(request)
    const isConfiguration = operation === 'getRealTimeConfiguration'
    const token = isConfiguration ? getBearerToken(request) : getHeader(request.headers, 'x-skypetoken')
    const user = authenticate(token, resource)
    const { communicationUserId } = user
    const response = await respond(operation, request, user, resource).catch(getResponse)
    return { ...response, communicationUserId }
  }

  async function respond(
    operation: SignalingOperation,
    request: RawRequest,
    user: ChatUser,
    resource: Resource,
  ): Promise<RawResponse> {
    checkPermission(user, resource, { operation, scope: 'chat.join.limited' })
    return handlers[operation](request, user, resource)
  }

  const handlers: Record<SignalingOperation, Handler> = {
    getRealTimeConfiguration(request) {
      const origin = getOrigin(request)
      return {
        status: 200,
        body: { trouterServiceUrl: origin, registrarServiceUrl: origin, cloudType: 'Public' },
      }
    },

    openTrouterSession(request, user, resource) {
      const origin = getOrigin(request)
      // A client that reconnects keeps its address.
      const address = parameters.read(request.query, user, resource) ?? randomBytes(18).toString('base64url')
      const url = origin + toPath(address)
      return {
        status: 200,
        body: {
          socketio: `${origin}/`,
          url,
          surl: url,
          curlb: origin,
          id: address,
          ccid: address,
          ttl: String(parametersLifetimeSeconds),
          connectparams: parameters.create(address, user, resource),
        },
      }
    },

    startSocket(request, user, resource) {
      const address = parameters.read(request.query, user, resource)
      if (address === undefined) {
        // guess(connect-parameters)
        throw unauthorized('ParametersInvalid', 'The connection parameters are missing, expired or of another user.')
      }
      const id = sessions.open({ user, resource, address })
      // differs(polling): the service also offers long polling.
      return { status: 200, text: `${id}:${heartbeatTimeoutSeconds}:${heartbeatTimeoutSeconds}:websocket` }
    },

    // guess(registration): the status; events are also sent without a registration.
    registerForEvents(request) {
      return parseObject(request.body) ? { status: 202 } : { status: 400 }
    },

    unregisterFromEvents: () => ({ status: 202 }),
  }

  return handle
}

function notFound({ path }: RawRequest): RawResponse {
  const message = path.includes('-polling/')
    ? 'Long polling is not emulated: use a WebSocket.'
    : `The emulator does not serve ${path}.`
  return { status: 404, explanation: { code: 'UnknownRoute', message } }
}
