/** A request with its response, for assertions. Contains neither tokens nor keys. */
export interface LoggedRequest {
  /** Number of the request since the start of the emulator. */
  readonly id: number
  /** Time of the emulator's clock. */
  readonly at: Date
  /** Name of the resource whose port received it. */
  readonly resource: string
  readonly method: string
  readonly path: string
  readonly apiVersion: string | undefined
  readonly operation: string | undefined
  readonly communicationUserId: string | undefined
  /** Chat thread that the request names or creates. */
  readonly threadId?: string | undefined
  readonly clientRequestId: string | undefined
  /** Status of the response; undefined if a fault closed the connection. */
  readonly status: number | undefined
  readonly errorCode: string | undefined
  /** Reason of a rejection: the explanation of the emulator, or else the message of the response. */
  readonly explanation: Readonly<Record<string, unknown>> | undefined
  readonly durationMs: number
}

const capacity = 1000

/** Equal requests beyond this number are removed before all others, so that those of health checks displace no others. */
const keptEqual = 100

/**
 * The last thousand requests. When it is full, the oldest of more than a hundred equal requests is removed first.
 *
 * @example
 * expect(emulator.requests.list().map(({ status }) => status)).toEqual([429, 201])
 */
export class RequestLog {
  #nextId = 1
  #entries: LoggedRequest[] = []

  /** @internal */
  add(entry: Omit<LoggedRequest, 'id'>): void {
    this.#entries.push({ id: this.#nextId++, ...entry })
    // Trimmed rarely: shifting a thousand entries at every request would be slow.
    if (this.#entries.length >= 2 * capacity) this.#entries = this.list()
  }

  /** @returns The requests, oldest first. */
  list(): LoggedRequest[] {
    let excess = this.#entries.length - capacity
    if (excess <= 0) return [...this.#entries]
    const keys = this.#entries.map(toKey)
    const counts = new Map<string, number>()
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
    const kept = this.#entries.filter((_entry, index) => {
      const count = counts.get(keys[index]!)!
      if (excess <= 0 || count <= keptEqual) return true
      counts.set(keys[index]!, count - 1)
      excess--
      return false
    })
    return kept.slice(-capacity)
  }

  /** Removes all requests from the log. */
  clear(): void {
    this.#entries = []
  }
}

/** Equal for requests that repeat each other. */
function toKey({ path, status, operation, communicationUserId = '' }: LoggedRequest): string {
  return `${status}${operation}${communicationUserId}${path}`
}
