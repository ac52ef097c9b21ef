// React Native and older Azure libraries have signals without `reason` and `throwIfAborted`.

/** Aborts with a reason that `throwIfAborted` and `abortable` read from any signal. */
export function abort(controller: AbortController, reason: Error): void {
  // Has no effect on a standard signal, whose `reason` has no setter.
  Reflect.set(controller.signal, 'reason', reason)
  controller.abort(reason)
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw getReason(signal)
}

/** Settles like the promise, or rejects as soon as the signal aborts. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = () => reject(getReason(signal))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function getReason({ reason }: AbortSignal): Error {
  return (reason as Error | undefined) ?? Object.assign(new Error('Aborted'), { name: 'AbortError' })
}
