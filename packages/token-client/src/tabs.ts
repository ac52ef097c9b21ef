import { abortable } from './abort.ts'
import type { TokenResponse } from './contract.ts'
import type { TokenRequest } from './token-source.ts'

/** What the tabs of an app tell each other: a token, or that the person's tokens count no more. It stays in their memory. */
export interface TabMessage {
  /** The person, and the service. */
  readonly user: string
  readonly fetched?: { readonly request: TokenRequest; readonly token: TokenResponse }
}

const name = 'acs-kit token'
/** A tab that was put to sleep with the lock does not stop the others for ever. */
const longestTurnMs = 8000
/** What one tab posts reaches another in about a millisecond. */
const deliveryMs = 50

/** The tabs of an app, so that one of them fetches for all. */
export class Tabs {
  readonly #channel = new BroadcastChannel(name)
  #isClosed = false

  private constructor(receive: (message: TabMessage) => void) {
    this.#channel.addEventListener('message', (event: Event) => receive((event as MessageEvent).data as TabMessage))
  }

  /** Undefined outside of pages, and in browsers that have not what it takes. */
  static open(receive: (message: TabMessage) => void): Tabs | undefined {
    const isPossible = 'document' in globalThis && 'locks' in navigator && 'any' in AbortSignal
    return isPossible ? new Tabs(receive) : undefined
  }

  post(message: TabMessage): void {
    if (this.#isClosed) return
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- a channel has none, it is the origin's own
    this.#channel.postMessage(message)
  }

  /** Fetches, unless another tab is at it: then what it gets is awaited. */
  fetchOnce(
    user: string,
    request: TokenRequest,
    signal: AbortSignal,
    fetchToken: () => Promise<TokenResponse>,
  ): Promise<TokenResponse> {
    const nameOf = (asked: TokenRequest) => `${name} ${user} ${JSON.stringify(asked)}`
    const lockName = nameOf(request)
    const heard = new AbortController()
    return new Promise<TokenResponse>((resolve, reject) => {
      const listen = (event: Event) => {
        const { user: other, fetched } = (event as MessageEvent).data as TabMessage
        if (other === user && fetched && nameOf(fetched.request) === lockName) resolve(fetched.token)
      }
      this.#channel.addEventListener('message', listen, { signal: heard.signal })
      let hasBegun = false
      const fetchAndPost = async () => {
        hasBegun = true
        const token = await abortable(fetchToken(), signal)
        this.post({ user, fetched: { request, token } })
        resolve(token)
        // Whoever has the lock next has heard of it by then.
        await new Promise((delivered) => setTimeout(delivered, deliveryMs))
      }
      const turn = AbortSignal.any([signal, heard.signal, AbortSignal.timeout(longestTurnMs)])
      navigator.locks
        .request(lockName, { signal: turn }, fetchAndPost)
        // Without a lock, because it took too long or there is none to be had, it goes all the same.
        .catch((error: unknown) => {
          if (hasBegun || signal.aborted || heard.signal.aborted) throw error
          return fetchAndPost()
        })
        .catch(reject)
    }).finally(() => heard.abort())
  }

  close(): void {
    this.#isClosed = true
    this.#channel.close()
  }
}
