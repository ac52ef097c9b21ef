import { tokenSource, type ServiceTokenSource, type TokenRequest, type TokenResponse } from '@acs-kit/token-client'
import { onClick, runAction, toMessage, withSlowNotice } from './actions.ts'
import type { DemoConfig } from './config.ts'
import { EmulatorClock } from './emulator-clock.ts'
import { loggingFetch } from './logging-fetch.ts'
import {
  getElement,
  showCounts,
  showEmulatorTime,
  showLifetime,
  showRequest,
  showStatus,
  showToken,
  type Lifetime,
} from './page.ts'
import type { SignIn } from './sign-in.ts'

/** The client refreshes a token before that. */
const beforeExpiryMs = 10 * 60_000

/** Panel of the signed-in user: the token, the requests and the emulator's clock. */
export class TokenPanel {
  readonly #tokens: ServiceTokenSource
  readonly #signIn: SignIn
  readonly #clock: EmulatorClock | undefined
  readonly #timer: number
  #lifetime: Lifetime | undefined
  #requests = 0
  #cached = 0

  constructor({ serviceUrl, emulatorUrl }: DemoConfig, signIn: SignIn) {
    this.#signIn = signIn
    this.#tokens = tokenSource({
      url: serviceUrl,
      getSignInToken: signIn.getAccessToken,
      fetch: loggingFetch((request) => {
        this.#requests++
        showRequest(request)
        showCounts(this.#requests, this.#cached)
      }),
      onToken: (token) => {
        const { scopes } = getSelectedRequest()
        if (scopes && scopes.join() !== token.scopes.join()) return
        this.#show(token)
        showStatus('Received a new token.')
      },
      onError: (error) => showStatus(`Refresh failed, retrying. ${toMessage(error)}`),
    })
    if (emulatorUrl !== undefined) this.#clock = new EmulatorClock(emulatorUrl)
    this.#timer = setInterval(() => this.#updateLifetime(), 1000)
  }

  async open(): Promise<void> {
    onClick(getElement('get'), () => this.#getToken())
    onClick(getElement('refresh'), () => this.#refresh())
    onClick(getElement('revoke'), () => this.#revoke())
    onClick(getElement('delete'), () => this.#delete())
    getElement('request').addEventListener('change', () => void runAction(() => this.#getToken()))
    if (this.#clock) await this.#openClock(this.#clock)
    await runAction(() => this.#getToken())
  }

  close(): void {
    clearInterval(this.#timer)
    this.#tokens.dispose()
  }

  async #getToken(): Promise<void> {
    const requestsBefore = this.#requests
    this.#show(await withSlowNotice(this.#tokens.getToken(getSelectedRequest())))
    if (this.#requests > requestsBefore) return showStatus('Received a token from the service.')
    this.#cached++
    showCounts(this.#requests, this.#cached)
    showStatus('Used the cached token.')
  }

  async #refresh(): Promise<void> {
    this.#tokens.invalidate()
    this.#show(await withSlowNotice(this.#tokens.getToken(getSelectedRequest())))
    showStatus('Received a new token.')
  }

  async #revoke(): Promise<void> {
    const completion = await withSlowNotice(this.#tokens.revokeTokens())
    this.#show(undefined)
    showStatus(
      completion === 'done'
        ? 'All your tokens are revoked.'
        : 'Your tokens will be revoked as soon as Azure is reachable.',
    )
  }

  async #delete(): Promise<void> {
    const dialog = getElement<HTMLDialogElement>('confirm')
    dialog.returnValue = ''
    dialog.showModal()
    await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
    if (dialog.returnValue !== 'delete') return
    const completion = await withSlowNotice(this.#tokens.deleteIdentity())
    this.#show(undefined)
    showStatus(
      completion === 'done'
        ? 'Your identity is deleted.'
        : 'Your identity will be deleted as soon as Azure is reachable.',
    )
  }

  async #openClock(clock: EmulatorClock): Promise<void> {
    await runAction(async () => showEmulatorTime(await clock.read()))
    getElement('clock').hidden = false
    for (const button of document.querySelectorAll<HTMLButtonElement>('[data-advance]')) {
      const { advance } = button.dataset
      onClick(button, async () => {
        const milliseconds = advance === 'expiry' ? this.#getTimeBeforeExpiry() : Number(advance)
        showEmulatorTime(await clock.advance(milliseconds))
        // Every response of the service updates the client's time.
        await this.#tokens.getIdentity().catch(() => undefined)
        await this.#getToken()
      })
    }
    onClick(getElement('reset'), async () => {
      showEmulatorTime(await clock.reset())
      this.#tokens.invalidate()
      this.#show(undefined)
      // The sign-in tokens were also issued in the future and are not valid yet.
      await this.#signIn.renew()
      await this.#getToken()
    })
  }

  #getTimeBeforeExpiry(): number {
    return this.#lifetime ? Math.max(0, Math.round(this.#lifetime.to - this.#tokens.now() - beforeExpiryMs)) : 0
  }

  #show(token: TokenResponse | undefined): void {
    this.#lifetime = token && {
      from: readIssueTime(token.token) ?? this.#tokens.now(),
      to: Date.parse(token.expiresOn),
    }
    showToken(token)
    this.#updateLifetime()
  }

  #updateLifetime(): void {
    showLifetime(this.#lifetime, this.#tokens.now())
  }
}

function getSelectedRequest(): TokenRequest {
  const scope = document.querySelector<HTMLInputElement>('input[name=scope]:checked')!.value as 'voip' | 'chat' | ''
  return scope === '' ? {} : { scopes: [scope] }
}

/** Returns the time in milliseconds since 1970, if the token contains it. */
function readIssueTime(token: string): number | undefined {
  try {
    const { iat } = JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as { iat: number }
    return iat * 1000
  } catch {
    return undefined
  }
}
