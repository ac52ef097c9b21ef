import { element, getElement } from './element.ts'
import { formatJson, toCode } from './code.ts'

/** Request to the token service or to chat, with its result. */
interface LoggedRequest {
  readonly at: Date
  readonly method: string
  readonly url: string
  /** HTTP status, or why a response is missing. */
  readonly result: number | 'aborted' | 'unreachable'
  readonly durationMs: number
  readonly requestBody?: string | undefined
  readonly responseBody?: string | undefined
}

const maxRequests = 50
const counts = { requests: 0, cached: 0 }

/** Counts a token that needed no request. */
export function countCached(): void {
  counts.cached++
  showCounts()
}

/** Adds a request to the list. Its bodies are created when they are shown. */
function logRequest(request: LoggedRequest): void {
  const { at, method, url, result, durationMs } = request
  const isFailed = typeof result !== 'number' || result >= 400
  const details = element(
    'details',
    {},
    element(
      'summary',
      {},
      element('time', {}, at.toLocaleTimeString()),
      element('code', { className: 'route' }, ...toParts(`${method} ${toRoute(url)}`)),
      element('span', { className: isFailed ? 'failed' : 'succeeded' }, String(result)),
      element('span', { className: 'number' }, String(Math.round(durationMs))),
    ),
  )
  details.addEventListener('toggle', () => details.append(...toBodies(request)), { once: true })
  const list = getElement('requests')
  list.prepend(element('li', {}, details))
  if (list.childElementCount > maxRequests) list.lastElementChild!.remove()
  counts.requests++
  showCounts()
}

/** Starts to time a request. Returns the function that logs it with its result. */
export function startRequest(request: Pick<LoggedRequest, 'method' | 'url' | 'requestBody'>) {
  const at = new Date()
  const start = performance.now()
  return (result: LoggedRequest['result'], responseBody?: string): void =>
    logRequest({ ...request, at, result, durationMs: performance.now() - start, responseBody })
}

/** Returns a `fetch` that logs and reports each request. */
export function loggingFetch(onRequest: () => void): typeof fetch {
  return async (input, init) => {
    onRequest()
    const log = startRequest({
      method: init?.method ?? 'GET',
      url: input as string,
      requestBody: init?.body as string | undefined,
    })
    try {
      const response = await fetch(input, init)
      log(response.status, await response.clone().text())
      return response
    } catch (error) {
      log(init?.signal?.aborted ? 'aborted' : 'unreachable')
      throw error
    }
  }
}

function toBodies({ method, url, requestBody, responseBody }: LoggedRequest): HTMLElement[] {
  const sections = [
    [`${method} ${url}`, requestBody],
    ['Response', responseBody],
  ] as const
  return sections.flatMap(([title, body]) => [
    element('p', { className: 'small' }, title),
    element('pre', { tabIndex: 0, ariaLabel: title }, body ? toCode(formatJson(body)) : 'No body'),
  ])
}

/** Allows line breaks before each slash. */
function toParts(route: string): (string | HTMLElement)[] {
  return route.split(/(?=\/)/).flatMap((part) => [part, element('wbr')])
}

/** Returns the path with shortened ids. */
function toRoute(url: string): string {
  return decodeURIComponent(new URL(url).pathname).replaceAll(/19:[^/]*/g, (id) => `${id.slice(0, 7)}…`)
}

function showCounts(): void {
  getElement('counts').textContent = `Requests sent: ${counts.requests} · Tokens from the cache: ${counts.cached}`
}
