/** A request that went over the wire, and what came of it. */
export interface WireEntry {
  readonly at: Date
  readonly request: string
  /** HTTP status, or why there is none. */
  readonly answer: number | 'aborted' | 'unreachable'
  readonly durationMs: number
}

/** `fetch`, which tells of each request. */
export function watchedFetch(onEntry: (entry: WireEntry) => void): typeof fetch {
  return async (input, init) => {
    const at = new Date()
    const start = performance.now()
    const tell = (answer: WireEntry['answer']) =>
      onEntry({
        at,
        request: `${init?.method ?? 'GET'} ${new URL(input as string).pathname}`,
        answer,
        durationMs: performance.now() - start,
      })
    try {
      const response = await fetch(input, init)
      tell(response.status)
      return response
    } catch (error) {
      tell(init?.signal?.aborted ? 'aborted' : 'unreachable')
      throw error
    }
  }
}
