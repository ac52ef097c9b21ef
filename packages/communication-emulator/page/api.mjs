/**
 * A value of the administration as JSON: times are text.
 *
 * @template Value
 * @typedef {Value extends Date ? string : Value} JsonValue
 */
/**
 * @template Type
 * @typedef {{ readonly [Name in keyof Type]: JsonValue<Type[Name]> }} Json
 */
/** @typedef {Json<import('../src/request-log.ts').LoggedRequest>} LoggedRequest */
/** @typedef {Json<import('../src/identity/identities.ts').ListedIdentity>} Identity */
/** @typedef {import('../src/identity/assignments.ts').ListedAssignment} Assignment */
/** @typedef {Json<import('../src/identity/token-introspection.ts').ListedToken>} Token */
/** @typedef {Json<import('../src/identity/token-introspection.ts').Introspection>} Introspection */
/** @typedef {import('../src/fault-plan.ts').ListedFault} Fault */
/** @typedef {import('../src/chat/chat-administration.ts').ListedChatThread} Thread */
/** @typedef {import('../src/chat/chat-thread.ts').ChatMessage} Message */
/** @typedef {Json<import('../src/chat/real-time/connections.ts').ListedConnection>} Connection */
/** @typedef {import('../src/quotas.ts').Limit} Limit */
/** @typedef {Readonly<Record<string, number | readonly Limit[]>>} Quotas Limits by operation. */
/** @typedef {import('../src/resource-manager/resource-types.ts').ManagedResource} ManagedResource */
/** @typedef {{ readonly name: string, readonly endpoint: string, readonly immutableResourceId: string }} Resource */
/** @typedef {{ readonly now: string, readonly offsetMilliseconds: number }} Clock */
/** @typedef {Readonly<Record<'faults' | 'events' | 'quotas', readonly string[]>>} Operations */

/**
 * A call of the administration API.
 *
 * @typedef {{ readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE', readonly path: string, readonly body?: unknown }} Call
 */

const token = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="emulator-token"]')).content

/** Error while the emulator does not respond. */
export class OfflineError extends Error {}

/**
 * Performs a call and returns its result. Throws an `OfflineError`, or an error with the message of the emulator.
 *
 * @param {Call} call
 * @returns {Promise<any>}
 */
export async function send({ method, path, body }) {
  const response = await fetch(path, {
    method,
    headers: { 'X-Emulator-Token': token },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((cause) => {
    throw new OfflineError('The emulator does not respond: start it again.', { cause })
  })
  const text = await response.text()
  const result = text === '' ? undefined : JSON.parse(text)
  if (!response.ok) throw new Error(result?.error?.message ?? `The emulator responded with ${response.status}.`)
  return result
}

/** @param {string} path @returns {Promise<any>} */
export function get(path) {
  return send({ method: 'GET', path })
}

/** Whether the emulator started again since this page was loaded, so that it rejects the page's token. */
export async function isRestarted() {
  const response = await fetch('')
  return !(await response.text()).includes(token)
}

/**
 * Returns the shell command of a call.
 *
 * @param {Call} call
 */
export function toCurl({ method, path, body }) {
  const data = body === undefined ? '' : ` -d '${JSON.stringify(body).replaceAll("'", String.raw`'\''`)}'`
  return `curl -X ${method} ${new URL(path, location.href.split('#')[0])}${data}`
}
