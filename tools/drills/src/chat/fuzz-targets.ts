import type { HttpResponse } from '@acs-kit/test-support/http-client'
import type { GeneratedChatRequest } from './generated-request.ts'

/** A thread and one of its messages, if it has any. */
interface Target {
  readonly threadId: string
  readonly messageId?: string | undefined
}

export const threadPath = '/chat/threads/{thread}'

const unknownThreads = ['19:acac', `19:${'x'.repeat(43)}1@thread.v2`, 'é', '%']
const unknownMessages = ['1', '9'.repeat(30), '-1', '1.5', 'é', '%']
/** Most older ones are deleted, or have lost their other participants. */
const maxRecent = 5

/** Threads and messages that generated requests name: one that is never deleted, those created last, and unknown ones. */
export class FuzzTargets {
  readonly #lasting: Target
  #recent: Target[] = []

  constructor(lasting: Target) {
    this.#lasting = lasting
  }

  /** Returns the same target for a request until `update` is called. */
  choose({ method, path, pick, isIdUnknown }: GeneratedChatRequest) {
    const needsMessage = path.includes('{message}')
    const known = [...(method === 'DELETE' ? [] : [this.#lasting]), ...this.#recent].filter(
      ({ messageId }) => !needsMessage || messageId !== undefined,
    )
    const { threadId, messageId } = known[pick % known.length] ?? {}
    const unknownThread = unknownThreads[pick % unknownThreads.length]!
    const unknownMessage = unknownMessages[pick % unknownMessages.length]!
    const isThreadUnknown = isIdUnknown && (pick % 2 === 1 || !needsMessage)
    return {
      threadId: isThreadUnknown ? unknownThread : (threadId ?? unknownThread),
      messageId: isIdUnknown ? unknownMessage : (messageId ?? unknownMessage),
    }
  }

  /** Adds what a request has created, and removes what it has deleted. */
  update({ status, text }: HttpResponse, generated: GeneratedChatRequest): void {
    const { threadId, messageId } = this.choose(generated)
    const { method, path, token } = generated
    if (status === 204 && method === 'DELETE') {
      const isGone = (target: Target) =>
        target.threadId === threadId && (path === threadPath || target.messageId === messageId)
      this.#recent = this.#recent.filter((target) => !isGone(target))
    }
    if (status !== 201) return
    const [, createdThread] = /"id":"(19:[^"]+)"/.exec(text) ?? []
    const [, createdMessage] = /^\{"id":"(\d+)"/.exec(text) ?? []
    // Others who create a thread are its participants.
    if (createdThread !== undefined && token === 'participant') this.#recent.push({ threadId: createdThread })
    if (createdMessage !== undefined) this.#recent.push({ threadId, messageId: createdMessage })
    this.#recent = this.#recent.slice(-maxRecent)
  }
}
