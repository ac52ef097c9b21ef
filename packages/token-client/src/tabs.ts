import { abortable } from './abort.ts'
import type { TokenResponse } from './contract.ts'
import type { TokenRequest } from './token-source.ts'

/** Message between the tabs of an app: a new token, or without one, that the user's tokens are invalidated. */
export type TabMessage = {
  /** The user and the service. */
  readonly user: string
} & (
  | { readonly request: TokenRequest; readonly token: TokenResponse; readonly lockName: string }
  | { readonly request?: never; readonly token?: never; readonly lockName?: never }
)

const name = 'acs-kit token'
/** A suspended tab that holds the lock must not block the others. */
const maxLockWaitMs = 8000
/** A message takes about a millisecond. */
const deliveryMs = 50

/** The tabs of an app, connected so that one of them fetches for all. */
export class Tabs {
  readonly #channel = new BroadcastChannel(name)

  private constructor(onMessage: (message: TabMessage) => void) {
    this.#listen(onMessage)
  }

  /** Returns undefined outside pages and in browsers without support. */
  static open(onMessage: (message: TabMessage) => void): Tabs | undefined {
    const isSupported = 'document' in globalThis && 'locks' in navigator && 'any' in AbortSignal
    return isSupported ? new Tabs(onMessage) : undefined
  }

  #listen(onMessage: (message: TabMessage) => void, options?: { readonly signal: AbortSignal }): void {
    this.#channel.addEventListener(
      'message',
      (event: Event) => onMessage((event as MessageEvent).data as TabMessage),
      options,
    )
  }

  post(message: TabMessage): void {
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no target origin
    this.#channel.postMessage(message)
  }

  /** Fetches a token, unless another tab is fetching it: then waits for that token. */
  fetchOnce(
    user: string,
    request: TokenRequest,
    signal: AbortSignal,
    fetchToken: () => Promise<TokenResponse>,
  ): Promise<TokenResponse> {
    const lockName = `${name} ${user} ${JSON.stringify(request)}`
    const received = new AbortController()
    return new Promise<TokenResponse>((resolve, reject) => {
      this.#listen((message) => {
        if (message.lockName === lockName) resolve(message.token)
      }, received)
      let hasStarted = false
      const fetchAndPost = async () => {
        hasStarted = true
        const token = await abortable(fetchToken(), signal)
        this.post({ user, request, token, lockName })
        resolve(token)
        // Hold the lock until the next tab has received the token.
        await new Promise((delivered) => setTimeout(delivered, deliveryMs))
      }
      const lockSignal = AbortSignal.any([signal, received.signal, AbortSignal.timeout(maxLockWaitMs)])
      navigator.locks
        .request(lockName, { signal: lockSignal }, fetchAndPost)
        // Fetch without the lock if it took too long or is unavailable.
        .catch((error: unknown) => {
          if (hasStarted || signal.aborted || received.signal.aborted) throw error
          return fetchAndPost()
        })
        .catch(reject)
    }).finally(() => received.abort())
  }

  close(): void {
    this.#channel.close()
  }
}
