/** Request to the token service, with its result. */
export interface LoggedRequest {
  readonly at: Date
  readonly route: string
  /** HTTP status, or the reason why there is none. */
  readonly result: number | 'aborted' | 'unreachable'
  readonly durationMs: number
}

/** Returns a `fetch` that reports each request. */
export function loggingFetch(onRequest: (request: LoggedRequest) => void): typeof fetch {
  return async (input, init) => {
    const at = new Date()
    const start = performance.now()
    const route = `${init?.method ?? 'GET'} ${new URL(input as string).pathname}`
    const log = (result: LoggedRequest['result']) =>
      onRequest({ at, route, result, durationMs: performance.now() - start })
    try {
      const response = await fetch(input, init)
      log(response.status)
      return response
    } catch (error) {
      log(init?.signal?.aborted ? 'aborted' : 'unreachable')
      throw error
    }
  }
}
