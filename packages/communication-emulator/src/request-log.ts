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

/**
 * The last thousand requests.
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
    if (this.#entries.length >= 2 * capacity) this.#entries = this.#entries.slice(-capacity)
  }

  /** @returns The requests, oldest first. */
  list(): LoggedRequest[] {
    return this.#entries.slice(-capacity)
  }

  /** Removes all requests from the log. */
  clear(): void {
    this.#entries = []
  }
}
