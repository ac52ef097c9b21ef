import {
  TokenError,
  tokenSource,
  type ServiceTokenSource,
  type TokenRequest,
  type TokenResponse,
} from '@acs-kit/token-client'
import { readConfig, type DemoConfig } from './config.ts'
import { EmulatedClock } from './emulated-clock.ts'
import { element, say, showEmulatedTime, showLife, showMemory, showPerson, showRequest, showToken } from './page.ts'
import { SignIn } from './sign-in.ts'
import { watchedFetch } from './wire.ts'

/** From then on a person wonders whether anything happens. */
const patienceMs = 500
/** A token is renewed before. */
const nearEndMs = 10 * 60_000

async function main(): Promise<void> {
  const config = await readConfig()
  const signIn = new SignIn(config)
  element('emulated').hidden = config.emulatorUrl === undefined
  onClick(element('sign-in'), () => signIn.begin())
  const user = await signIn.resume().catch((error: unknown) => say(`The sign-in failed: ${messageOf(error)}`))
  if (!user) return showPerson(undefined)
  showPerson(user.profile.name ?? user.profile.sub)
  const desk = new Desk(config, signIn)
  onClick(element('sign-out'), async () => {
    desk.close()
    await signIn.end()
  })
  await desk.open()
}

/** What there is for somebody who is signed in. */
class Desk {
  readonly #tokens: ServiceTokenSource
  readonly #clock: EmulatedClock | undefined
  #life: { readonly from: number; readonly to: number } | undefined
  #requests = 0
  #fromMemory = 0
  readonly #ticking: number

  constructor({ serviceUrl, emulatorUrl }: DemoConfig, signIn: SignIn) {
    this.#tokens = tokenSource({
      url: serviceUrl,
      getSignInToken: signIn.getAccessToken,
      fetch: watchedFetch((entry) => {
        this.#requests++
        showRequest(entry)
        showMemory(this.#fromMemory, this.#requests)
      }),
      onToken: (token) => {
        const { scopes } = chosen()
        if (scopes && scopes.join() !== token.scopes.join()) return
        this.#show(token)
        say('There is a new token.')
      },
      onError: (error) => say(`The refresh is tried again. ${messageOf(error)}`),
    })
    if (emulatorUrl !== undefined) this.#clock = new EmulatedClock(emulatorUrl)
    this.#ticking = setInterval(() => this.#tick(), 1000)
  }

  async open(): Promise<void> {
    onClick(element('get'), () => this.#get())
    onClick(element('refresh'), () => this.#refresh())
    onClick(element('revoke'), () => this.#revoke())
    onClick(element('delete'), () => this.#delete())
    element('purpose').addEventListener('change', () => void attempt(() => this.#get()))
    if (this.#clock) await this.#openClock(this.#clock)
    await attempt(() => this.#get())
  }

  close(): void {
    clearInterval(this.#ticking)
    this.#tokens.dispose()
  }

  async #get(): Promise<void> {
    const before = this.#requests
    this.#show(await patiently(this.#tokens.getToken(chosen())))
    if (this.#requests > before) return say('The token came from the service.')
    this.#fromMemory++
    showMemory(this.#fromMemory, this.#requests)
    say('The token came from memory.')
  }

  async #refresh(): Promise<void> {
    this.#tokens.invalidate()
    this.#show(await patiently(this.#tokens.getToken(chosen())))
    say('There is a new token.')
  }

  async #revoke(): Promise<void> {
    const completion = await patiently(this.#tokens.revokeTokens())
    this.#show(undefined)
    say(
      completion === 'done' ? 'All your tokens are revoked.' : 'Your tokens will be revoked as soon as Azure is back.',
    )
  }

  async #delete(): Promise<void> {
    const dialog = element<HTMLDialogElement>('confirm')
    dialog.returnValue = ''
    dialog.showModal()
    await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
    if (dialog.returnValue !== 'delete') return
    const completion = await patiently(this.#tokens.deleteIdentity())
    this.#show(undefined)
    say(completion === 'done' ? 'Your identity is deleted.' : 'Your identity will be deleted as soon as Azure is back.')
  }

  async #openClock(clock: EmulatedClock): Promise<void> {
    await attempt(async () => showEmulatedTime(await clock.read()))
    element('clock').hidden = false
    for (const button of document.querySelectorAll<HTMLButtonElement>('[data-advance]')) {
      onClick(button, async () => {
        const by = button.dataset['advance']!
        if (by === 'reset') showEmulatedTime(await clock.reset())
        else showEmulatedTime(await clock.advance(by === 'end' ? this.#untilNearEnd() : Number(by)))
        // Any answer of the service tells the client the time.
        await this.#tokens.getIdentity().catch(() => undefined)
        await this.#get()
      })
    }
  }

  #untilNearEnd(): number {
    return this.#life ? Math.max(0, Math.round(this.#life.to - this.#tokens.now() - nearEndMs)) : 0
  }

  #show(token: TokenResponse | undefined): void {
    const to = Date.parse(token?.expiresOn ?? '')
    this.#life = token && { from: issuedAt(token.token) ?? this.#tokens.now(), to }
    showToken(token)
    this.#tick()
  }

  #tick(): void {
    showLife(this.#life, this.#tokens.now())
  }
}

/** Milliseconds since 1970, if the token tells. */
function issuedAt(token: string): number | undefined {
  try {
    const { iat } = JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as { iat: number }
    return iat * 1000
  } catch {
    return undefined
  }
}

function chosen(): TokenRequest {
  const scope = document.querySelector<HTMLInputElement>('input[name=purpose]:checked')!.value as 'voip' | 'chat' | ''
  return scope === '' ? {} : { scopes: [scope] }
}

function onClick(button: HTMLElement, act: () => Promise<void>): void {
  const run = async () => {
    // It keeps the focus, which a disabled button would lose.
    if (button.getAttribute('aria-disabled') === 'true') return
    button.setAttribute('aria-disabled', 'true')
    await attempt(act)
    button.removeAttribute('aria-disabled')
  }
  button.addEventListener('click', () => void run())
}

async function attempt(act: () => Promise<void>): Promise<void> {
  // A screen reader speaks changes only: the same message counts as new once the former one is gone.
  say('')
  try {
    await act()
  } catch (error) {
    say(messageOf(error))
  }
}

async function patiently<T>(promise: Promise<T>): Promise<T> {
  const waiting = setTimeout(() => say('Waiting for the token service…'), patienceMs)
  return promise.finally(() => clearTimeout(waiting))
}

const advice: Partial<Record<TokenError['code'], string>> = {
  'network-failed': 'The token service can’t be reached. Is there a network?',
  timeout: 'The token service takes too long. Try again in a moment.',
  'sign-in-failed': 'Your sign-in has ended. Sign out, and in again.',
  'rate-limited': 'That was too often. Wait a moment.',
  'scope-not-allowed': 'This is not for you: your app’s policy does not allow it.',
  'communication-unavailable': 'Azure Communication Services can’t be reached. Try again in a moment.',
  invalidated: 'The token was replaced meanwhile. Try again.',
}

function messageOf(error: unknown): string {
  return (error instanceof TokenError && advice[error.code]) || (error as Error).message
}

await main().catch((error: unknown) => say(messageOf(error)))
