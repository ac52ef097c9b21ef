import { get } from './api.mjs'
import { dangerousButton } from './action.mjs'
import { definitions, element, linkTo } from './dom.mjs'
import { formatTime, formatUserId } from './format.mjs'
import { createList } from './list.mjs'
import { createStringToSign } from './string-to-sign.mjs'

/** @typedef {import('./api.mjs').LoggedRequest} LoggedRequest */
/** @typedef {import('./main.mjs').Route} Route */
/** @typedef {import('./main.mjs').View} View */

const maxRelated = 20

/** @param {LoggedRequest} request */
function isRejected({ status }) {
  return status === undefined || status >= 400
}

/** Returns code and message of a rejection. @param {LoggedRequest} request */
function getReason({ status, errorCode, explanation = {} }) {
  if (status === undefined) {
    if (errorCode !== undefined) return { code: errorCode, message: 'A fault lost the event.' }
    return { code: 'NoResponse', message: 'A fault closed the connection, or the client did not respond.' }
  }
  const { code, error, message = '' } = /** @type {Readonly<Record<string, string>>} */ (explanation)
  return { code: code ?? error ?? errorCode, message }
}

/** @param {LoggedRequest} request */
function createStatus({ status }) {
  const kind = status === undefined || status >= 500 ? 'bad' : status >= 400 ? 'soon' : 'good'
  return element('span', { class: `badge ${kind}` }, status === undefined ? 'none' : String(status))
}

/** @param {LoggedRequest} request */
function createSummary(request) {
  const { id, operation, method, path } = request
  const isPreflight = method === 'OPTIONS'
  const { code, message } = getReason(request)
  return element(
    'div',
    {},
    element('a', { href: `#/requests/${id}` }, operation ?? (isPreflight ? 'CORS preflight' : `${method} ${path}`)),
    (isPreflight || operation?.startsWith('arm')) && element('p', { class: 'path', title: path }, path),
    isRejected(request) && element('p', { class: 'reason' }, code && element('strong', {}, code), ` ${message}`),
  )
}

/** @param {LoggedRequest} request */
function createUserLink({ communicationUserId: id }) {
  return id && linkTo('identities', id, formatUserId(id))
}

/**
 * Creates a list of requests; without parameters, of one user or thread and without a filter.
 *
 * @param {URLSearchParams} [parameters]
 * @param {readonly Node[]} [actions]
 */
function createRequestList(parameters, actions = []) {
  return createList({
    noun: 'requests',
    key: ({ id }) => String(id),
    columns: [
      { name: 'Status', cell: createStatus },
      { name: 'Operation', cell: createSummary, isWide: true },
      ...(parameters ? [{ name: 'User', cell: createUserLink }] : []),
      { name: 'Duration', cell: ({ durationMs }) => `${durationMs.toFixed(1)} ms`, isNumber: true },
      { name: 'Time', cell: ({ at }) => element('time', { datetime: at }, formatTime(at)) },
    ],
    states: { Rejected: isRejected, Succeeded: (request) => !isRejected(request) },
    actions,
    empty: parameters ? createEmptyLog() : 'No requests.',
    ...(parameters && { parameters }),
  })
}

/**
 * Creates a list of the newest requests of a user or thread, with a link to all.
 *
 * @param {string} id
 */
export function createRelatedRequests(id) {
  const list = createRequestList()
  const link = element('a', { href: `#/requests?filter=${encodeURIComponent(id)}` }, 'All requests with this id')
  return {
    element: element('div', { class: 'stack' }, list.element, link),
    /** @param {readonly LoggedRequest[]} requests */
    show(requests) {
      list.show(requests.slice(0, maxRelated))
      link.hidden = requests.length <= maxRelated
    },
  }
}

function createEmptyLog() {
  const port = location.port === '4380' ? '' : ` --port ${location.port}`
  return element(
    'div',
    {},
    element(
      'p',
      {},
      'No requests yet. Start your app with the variables of the emulator, and its requests appear here:',
    ),
    element('pre', {}, `eval "$(npx communication-emulator env${port})"\nnode app.js`),
  )
}

/** @param {Route} route @returns {View} */
export function createRequestsView({ parameters }) {
  const clear = dangerousButton('Clear', {
    title: 'Clear the request log?',
    text: 'It removes all requests from the log. Nothing else changes.',
    call: { method: 'DELETE', path: 'requests' },
    success: () => 'Cleared the request log.',
  })
  const list = createRequestList(parameters, [clear])
  return {
    title: 'Requests',
    content: [list.element],
    load: async () => list.show((await get('requests')).toReversed()),
  }
}

/** @param {Route} route @returns {View} */
export function createRequestView({ id }) {
  const content = element('div', { class: 'stack' })
  return {
    title: `Request ${id}`,
    parent: 'requests',
    content: [content],
    async load() {
      // A logged request does not change.
      if (content.querySelector('dl')) return
      const requests = await get('requests')
      const request = requests.find((candidate) => String(candidate.id) === id)
      if (request) content.replaceChildren(...describe(request))
      else content.replaceChildren('This request is no longer in the log, which holds the last thousand.')
    },
  }
}

/** @param {LoggedRequest} request */
function describe(request) {
  const { at, method, path, operation, resource, apiVersion, clientRequestId, errorCode, durationMs } = request
  const { code, message } = getReason(request)
  const { code: _code, error: _error, message: _message, ...details } = request.explanation ?? {}
  const { stringToSign, clientStringToSign, firstDifference: _first, ...others } = details
  const list = definitions({
    Status: createStatus(request),
    Request: element('code', {}, `${method} ${path}`),
    Operation: operation,
    User: request.communicationUserId && linkTo('identities', request.communicationUserId),
    Thread: request.threadId && linkTo('threads', request.threadId),
    Resource: resource,
    'API version': apiVersion,
    'Client request id': clientRequestId && element('code', {}, clientRequestId),
    'Error code': errorCode,
    Time: element('time', { datetime: at }, formatTime(at)),
    Duration: `${durationMs.toFixed(1)} ms`,
  })
  if (!isRejected(request)) return [list]
  return [
    element(
      'section',
      { class: 'card rejection' },
      element('h2', {}, 'Reason'),
      element('p', {}, code && element('strong', {}, code), ` ${message}`),
      typeof stringToSign === 'string' && createStringToSign(stringToSign, clientStringToSign),
      Object.keys(others).length > 0 && element('pre', {}, JSON.stringify(others, undefined, 2)),
    ),
    list,
  ]
}
