/** Globals of a page, which Node lacks. */
type Page = EventTarget & {
  readonly document: EventTarget & { readonly visibilityState: string }
  reportError(error: unknown): void
}

const page = globalThis as Partial<Page>

/** Calls back whenever the page becomes visible or online. Does nothing outside pages. */
export function onResume(callback: () => void, signal: AbortSignal): void {
  const { document } = page
  if (!document) return
  const resume = () => document.visibilityState === 'hidden' || callback()
  document.addEventListener('visibilitychange', resume, { signal })
  page.addEventListener?.('online', resume, { signal })
}

/** Calls a listener. An error of the listener is reported to the page and has no other effect. */
export function notify<T>(listener: ((value: T) => void) | undefined, value: T): void {
  try {
    listener?.(value)
  } catch (error) {
    page.reportError?.(error)
  }
}
