import { InvalidSettingError } from '../invalid-setting-error.ts'
import { chatEventNames, type ChatEvent, type ChatEventName } from './chat-event.ts'

/** An event with its position among all events, from 1. */
export type PublishedChatEvent = ChatEvent & { readonly index: number }

/** The event to wait for; members that are absent match every event. */
export interface ChatEventFilter {
  readonly name?: ChatEventName
  readonly threadId?: string
  /** A recipient of the event. */
  readonly communicationUserId?: string
  /** Index of an earlier event: also matches past events after it, of which the last hundred are kept. */
  readonly after?: number
  /** Default 10,000; at most 600,000. */
  readonly timeoutMs?: number
}

interface Waiter {
  readonly filter: ChatEventFilter
  readonly settle: (event: PublishedChatEvent | undefined) => void
}

/** Number of past events that are kept for `after`. */
const capacity = 100
const maxTimeoutMs = 600_000

export type ChatEvents = ReturnType<typeof createChatEvents>

/** Delivers events in real time, and resolves the waits that match them. */
export function createChatEvents(deliver: (event: ChatEvent) => void) {
  const waiters = new Set<Waiter>()
  let recent: PublishedChatEvent[] = []
  let lastIndex = 0

  function publish(event: ChatEvent): void {
    const published = { ...event, index: ++lastIndex }
    recent.push(published)
    if (recent.length >= 2 * capacity) recent = recent.slice(-capacity)
    deliver(event)
    for (const { filter, settle } of waiters) if (isMatch(published, filter)) settle(published)
  }

  /** Returns the first matching event after the call, or after the index of the filter; undefined after the timeout. */
  function waitFor(filter: ChatEventFilter): Promise<PublishedChatEvent | undefined> {
    const { name, after = lastIndex, timeoutMs = 10_000 } = filter
    if (name !== undefined && !chatEventNames.includes(name)) {
      throw new InvalidSettingError(`unknown event ${name}: use one of ${chatEventNames.join(', ')}`)
    }
    if (!(timeoutMs >= 0 && timeoutMs <= maxTimeoutMs)) {
      throw new InvalidSettingError(`timeoutMs must be a number from 0 to ${maxTimeoutMs}`)
    }
    const past = recent.find((event) => event.index > after && isMatch(event, filter))
    if (past) return Promise.resolve(past)
    return new Promise((resolve) => {
      const settle = (event: PublishedChatEvent | undefined) => {
        clearTimeout(timer)
        waiters.delete(waiter)
        resolve(event)
      }
      const waiter = { filter, settle }
      const timer = setTimeout(settle, timeoutMs, undefined)
      waiters.add(waiter)
    })
  }

  function clear(): void {
    recent = []
  }

  /** Ends all waits. */
  function stop(): void {
    for (const { settle } of waiters) settle(undefined)
  }

  return { publish, waitFor, clear, stop }
}

function isMatch(event: ChatEvent, { name, threadId, communicationUserId }: ChatEventFilter): boolean {
  return (
    (name === undefined || event.name === name) &&
    (threadId === undefined || event.thread.id === threadId) &&
    (communicationUserId === undefined || event.recipients.includes(communicationUserId))
  )
}
