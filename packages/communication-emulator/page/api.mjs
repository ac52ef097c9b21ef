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
/** @typedef {Json<import('../src/chat/real-time/listed-connection.ts').ListedConnection>} Connection */
/** @typedef {import('../src/quotas.ts').Limit} Limit */
/** @typedef {Readonly<Record<string, number | readonly Limit[]>>} Quotas Limits by operation. */
/** @typedef {import('../src/resource-manager/resource-types.ts').ManagedResource} ManagedResource */
/** @typedef {{ readonly name: string, readonly endpoint: string, readonly immutableResourceId: string }} Resource */
/** @typedef {{ readonly now: string, readonly offsetMilliseconds: number }} Clock */
/** @typedef {Readonly<Record<'faults' | 'events' | 'quotas', readonly string[]>>} Operations */

/**
 * Results of reading calls by their path.
 *
 * @typedef {{
 *   readonly assignments: readonly Assignment[]
 *   readonly 'chat/connections': readonly Connection[]
 *   readonly 'chat/messages': readonly Message[]
 *   readonly 'chat/threads': readonly Thread[]
 *   readonly clock: Clock
 *   readonly faults: readonly Fault[]
 *   readonly identities: readonly Identity[]
 *   readonly managedResources: readonly ManagedResource[]
 *   readonly operations: Operations
 *   readonly quotas: Quotas
 *   readonly requests: readonly LoggedRequest[]
 *   readonly resources: readonly Resource[]
 *   readonly tokens: readonly Token[]
 * }} Results
 */

/**
 * A call of the administration API.
 *
 * @typedef {{ readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE', readonly path: string, readonly body?: unknown }} Call
 */

/** Empty on another machine, whose user enters it. */
const servedToken = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="emulator-token"]')).content
const storageKey = 'emulator-token'
let token = servedToken || (sessionStorage.getItem(storageKey) ?? '')

/** Sets the token of further calls, and keeps it for this tab. @param {string} entered */
export function setToken(entered) {
  token = entered
  sessionStorage.setItem(storageKey, entered)
}

/** Whether the emulator rejects the token. It accepts the one that it served with the page. */
export async function isTokenRejected() {
  return servedToken === '' && (await call({ method: 'GET', path: 'clock' })).status === 401
}

/**
 * Performs a call and returns its result. Throws an error with the message of the emulator.
 *
 * @param {Call} call
 * @returns {Promise<unknown>}
 */
export async function send({ method, path, body }) {
  const response = await call({ method, path, body }).catch((cause) => {
    throw new Error('The emulator does not respond: start it again.', { cause })
  })
  const text = await response.text()
  const result = text === '' ? undefined : JSON.parse(text)
  if (!response.ok) throw new Error(result?.error?.message ?? `The emulator responded with ${response.status}.`)
  return result
}

/** @param {Call} call */
function call({ method, path, body }) {
  return fetch(path, {
    method,
    headers: { Authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

/**
 * Reads from the emulator.
 *
 * @template {keyof Results} Path
 * @param {Path} path
 * @param {Readonly<Record<string, string>>} [query]
 */
export async function get(path, query = {}) {
  const result = await send({ method: 'GET', path: `${path}?${new URLSearchParams(query)}` })
  return /** @type {Results[Path]} */ (result)
}

/** Whether the emulator started again since this page was loaded, so that it rejects the page's token. */
export async function isRestarted() {
  const response = await fetch('')
  return !(await response.text()).includes(servedToken)
}

/**
 * Returns the shell command of a call.
 *
 * @param {Call} call
 */
export function toCurl({ method, path, body }) {
  const data = body === undefined ? '' : ` -d '${JSON.stringify(body).replaceAll("'", String.raw`'\''`)}'`
  // Only other machines need the token, which is not shown.
  const header = servedToken === '' ? ' -H "Authorization: Bearer $COMMUNICATION_EMULATOR_ADMIN_TOKEN"' : ''
  return `curl -X ${method} ${new URL(path, location.href.split('#')[0])}${header}${data}`
}
