/** One request as it was answered: for assertions, without any token or key. */
export interface LoggedRequest {
  readonly at: Date
  readonly resource: string
  readonly method: string
  readonly path: string
  readonly apiVersion: string | undefined
  readonly operation: string | undefined
  readonly communicationUserId: string | undefined
  readonly clientRequestId: string | undefined
  /** Undefined when a fault cut the connection. */
  readonly status: number | undefined
  readonly errorCode: string | undefined
  /** Why it was refused, where the emulator knows more than the service would say. */
  readonly explanation: Readonly<Record<string, unknown>> | undefined
  readonly durationMs: number
}

const capacity = 1000

/** The last thousand requests, oldest first. */
export class RequestLog {
  #entries: LoggedRequest[] = []

  add(entry: LoggedRequest): void {
    this.#entries.push(entry)
    // Cut rarely: shifting an array of a thousand at every request would show in the figures.
    if (this.#entries.length >= 2 * capacity) this.#entries = this.#entries.slice(-capacity)
  }

  list(): LoggedRequest[] {
    return this.#entries.slice(-capacity)
  }

  clear(): void {
    this.#entries = []
  }
}
