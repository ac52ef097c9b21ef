import { tokenSource, type Completion, type TokenRequest, type TokenResponse } from '@acs-kit/token-client'
import { onClick, runAction, toMessage, withSlowNotice } from './actions.ts'
import type { DemoConfig } from './config.ts'
import { createEmulatorClock, type EmulatorClock } from './emulator-clock.ts'
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

/** Remaining lifetime after a jump to the expiry. The client refreshes a token earlier. */
const beforeExpiryMs = 10 * 60_000

/** Opens the panel of the signed-in user: the token, the requests and the emulator's clock. */
export async function openTokenPanel(
  { serviceUrl, emulatorUrl, emulatorToken }: DemoConfig,
  signIn: SignIn,
): Promise<void> {
  let lifetime: Lifetime | undefined
  let requests = 0
  let cached = 0
  const tokens = tokenSource({
    url: serviceUrl,
    getSignInToken: signIn.getAccessToken,
    fetch: loggingFetch((request) => {
      requests++
      showRequest(request)
      showCounts(requests, cached)
    }),
    onToken: (token) => {
      const { scopes } = getSelectedRequest()
      if (scopes && scopes.join() !== token.scopes.join()) return
      show(token)
      showStatus('Received a new token.')
    },
    onError: (error) => showStatus(`Refresh failed, retrying. ${toMessage(error)}`),
  })
  const timer = setInterval(updateLifetime, 1000)
  onClick(getElement('sign-out'), async () => {
    clearInterval(timer)
    tokens.dispose()
    await signIn.end()
  })
  onClick(getElement('get'), getToken)
  onClick(getElement('refresh'), refresh)
  onClick(getElement('revoke'), revoke)
  onClick(getElement('delete'), deleteIdentity)
  getElement('request').addEventListener('change', () => void runAction(getToken))
  if (emulatorUrl !== undefined) await openClock(createEmulatorClock(emulatorUrl, emulatorToken))
  await runAction(getToken)

  async function getToken(): Promise<void> {
    const requestsBefore = requests
    show(await withSlowNotice(tokens.getToken(getSelectedRequest())))
    if (requests > requestsBefore) return showStatus('Received a token from the service.')
    cached++
    showCounts(requests, cached)
    showStatus('Used the cached token.')
  }

  async function refresh(): Promise<void> {
    tokens.invalidate()
    show(await withSlowNotice(tokens.getToken(getSelectedRequest())))
    showStatus('Received a new token.')
  }

  async function revoke(): Promise<void> {
    await showRemoval(tokens.revokeTokens(), {
      done: 'All your tokens are revoked.',
      accepted: 'Your tokens will be revoked as soon as Azure is reachable.',
    })
  }

  async function deleteIdentity(): Promise<void> {
    const dialog = getElement<HTMLDialogElement>('confirm')
    dialog.returnValue = ''
    dialog.showModal()
    await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
    if (dialog.returnValue !== 'delete') return
    await showRemoval(tokens.deleteIdentity(), {
      done: 'Your identity is deleted.',
      accepted: 'Your identity will be deleted as soon as Azure is reachable.',
    })
  }

  async function showRemoval(removal: Promise<Completion>, messages: Record<Completion, string>): Promise<void> {
    const completion = await withSlowNotice(removal)
    show(undefined)
    showStatus(messages[completion])
  }

  async function openClock(clock: EmulatorClock): Promise<void> {
    await runAction(async () => showEmulatorTime(await clock.read()))
    getElement('clock').hidden = false
    for (const button of document.querySelectorAll<HTMLButtonElement>('[data-advance]')) {
      const { advance } = button.dataset
      onClick(button, async () => {
        const milliseconds = advance === 'expiry' ? getTimeBeforeExpiry() : Number(advance)
        showEmulatorTime(await clock.advance(milliseconds))
        // Every response of the service updates the client's time.
        await tokens.getIdentity().catch(() => undefined)
        await getToken()
      })
    }
    onClick(getElement('reset'), async () => {
      showEmulatorTime(await clock.reset())
      tokens.invalidate()
      show(undefined)
      // The sign-in tokens were also issued in the future and are not valid yet.
      await signIn.renew()
      await getToken()
    })
  }

  function getTimeBeforeExpiry(): number {
    return lifetime ? Math.max(0, Math.round(lifetime.to - tokens.now() - beforeExpiryMs)) : 0
  }

  function show(token: TokenResponse | undefined): void {
    lifetime = token && {
      from: readIssueTime(token.token) ?? tokens.now(),
      to: Date.parse(token.expiresOn),
    }
    showToken(token)
    updateLifetime()
  }

  function updateLifetime(): void {
    showLifetime(lifetime, tokens.now())
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
