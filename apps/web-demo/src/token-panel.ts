import {
  tokenSource,
  type Completion,
  type ServiceTokenSource,
  type TokenRequest,
  type TokenResponse,
} from '@acs-kit/token-client'
import { onClick, runAction } from './actions.ts'
import type { DemoConfig } from './config.ts'
import { getElement } from './element.ts'
import { createEmulatorClock, type EmulatorClock } from './emulator-clock.ts'
import { explainError } from './explain-error.ts'
import { showNotice } from './notice.ts'
import { countCached, loggingFetch } from './requests.ts'
import type { SignIn } from './sign-in.ts'
import { showSnippet, toCall } from './snippet.ts'
import { readClaims, showEmulatorTime, showLifetime, showToken, type Lifetime } from './token-view.ts'

/** Remaining lifetime after a jump to the expiry. The client refreshes a token earlier. */
const beforeExpiryMs = 10 * 60_000

/** Opens the panel of the signed-in user's token. Reports its identity, or undefined before the user deletes it or signs out. */
export async function openTokenPanel(
  { serviceUrl, emulatorUrl, emulatorToken }: DemoConfig,
  signIn: SignIn,
  onIdentity: (communicationUserId: string | undefined) => void,
): Promise<ServiceTokenSource> {
  let lifetime: Lifetime | undefined
  let requests = 0
  const tokens = tokenSource({
    url: serviceUrl,
    getSignInToken: signIn.getAccessToken,
    fetch: loggingFetch(() => requests++),
    onToken: (token) => {
      const { scopes } = getSelectedRequest()
      if (scopes && scopes.join() !== token.scopes.join()) return
      show(token)
      showSuccess('Received a new token.')
    },
    onError: (error) => {
      const { text, remedy } = explainError(error)
      showNotice('token', { kind: 'warning', text: `Refresh failed, retrying. ${text}`, remedy })
    },
  })
  const timer = setInterval(updateLifetime, 1000)
  onClick('page', getElement('sign-out'), async () => {
    clearInterval(timer)
    onIdentity(undefined)
    tokens.dispose()
    await signIn.end()
  })
  onClick('token', getElement('get'), getToken)
  onClick('token', getElement('refresh'), refresh)
  onClick('token', getElement('revoke'), revoke)
  onClick('token', getElement('delete'), deleteIdentity)
  getElement('request').addEventListener('change', () => void runAction('token', getToken))
  show(undefined)
  if (emulatorUrl !== undefined) await openClock(createEmulatorClock(emulatorUrl, emulatorToken))
  await runAction('token', getToken)
  return tokens

  async function getToken(): Promise<void> {
    const requestsBefore = requests
    show(await tokens.getToken(getSelectedRequest()))
    const isCached = requests === requestsBefore
    if (isCached) countCached()
    showSuccess(isCached ? 'Used the cached token.' : 'Received a token from the service.')
    showCode(getTokenCode(), isCached ? '// from the cache' : '// from the token service')
  }

  async function refresh(): Promise<void> {
    tokens.invalidate()
    show(await tokens.getToken(getSelectedRequest()))
    showSuccess('Received a new token.')
    showCode('tokens.invalidate()', getTokenCode())
  }

  async function revoke(): Promise<void> {
    await showRemoval(tokens.revokeTokens(), {
      done: 'All your tokens are revoked.',
      accepted: 'Your tokens will be revoked as soon as Azure is reachable.',
    })
    showCode('await tokens.revokeTokens()')
  }

  async function deleteIdentity(): Promise<void> {
    const dialog = getElement<HTMLDialogElement>('confirm')
    dialog.returnValue = ''
    dialog.showModal()
    await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
    if (dialog.returnValue !== 'delete') return
    // Chat closes the connection of a deleted identity.
    onIdentity(undefined)
    await showRemoval(tokens.deleteIdentity(), {
      done: 'Your identity is deleted.',
      accepted: 'Your identity will be deleted as soon as Azure is reachable.',
    })
    showCode('await tokens.deleteIdentity()')
  }

  async function showRemoval(removal: Promise<Completion>, messages: Record<Completion, string>): Promise<void> {
    const completion = await removal
    show(undefined)
    showSuccess(messages[completion])
  }

  async function openClock(clock: EmulatorClock): Promise<void> {
    await runAction('token', async () => showEmulatorTime(await clock.read()))
    getElement('clock').hidden = false
    for (const button of document.querySelectorAll<HTMLButtonElement>('[data-advance]')) {
      const { advance } = button.dataset
      onClick('token', button, async () => {
        const milliseconds = advance === 'expiry' ? getTimeBeforeExpiry() : Number(advance)
        showEmulatorTime(await clock.advance(milliseconds))
        // Every response of the service updates the client's time.
        await tokens.getIdentity().catch(() => undefined)
        await getToken()
      })
    }
    onClick('token', getElement('reset'), async () => {
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
    const issuedAt = token && readClaims(token.token)?.['iat']
    lifetime = token && {
      from: typeof issuedAt === 'number' ? issuedAt * 1000 : tokens.now(),
      to: Date.parse(token.expiresOn),
    }
    showToken(token)
    updateLifetime()
    if (token) onIdentity(token.communicationUserId)
  }

  function updateLifetime(): void {
    showLifetime(lifetime, tokens.now())
  }

  function showCode(...lines: string[]): void {
    showSnippet([
      "import { tokenSource } from '@acs-kit/token-client'",
      '',
      'const tokens = tokenSource({',
      `  url: '${serviceUrl}',`,
      '  getSignInToken,',
      '})',
      ...lines,
    ])
  }
}

function showSuccess(text: string): void {
  showNotice('token', { kind: 'success', text })
}

function getTokenCode(): string {
  const request = getSelectedRequest()
  return toCall('const { token, endpoint } = await tokens.getToken', ...(request.scopes ? [request] : []))
}

function getSelectedRequest(): TokenRequest {
  const scope = document.querySelector<HTMLInputElement>('input[name=scope]:checked')!.value as 'voip' | 'chat' | ''
  return scope === '' ? {} : { scopes: [scope] }
}
