import { TokenError } from '@acs-kit/token-client'
import { showStatus } from './page.ts'

/** Users expect a sign of progress after this time. */
const slowNoticeMs = 500

const advice: Partial<Record<TokenError['code'], string>> = {
  'network-failed': 'The token service is unreachable. Check your network connection.',
  timeout: 'The token service did not respond in time. Try again in a moment.',
  'sign-in-failed': 'Your sign-in has expired. Sign out and sign in again.',
  'rate-limited': 'Too many requests. Try again in a moment.',
  'scope-not-allowed': 'You are not permitted to use this scope.',
  'communication-unavailable': 'Azure Communication Services is unreachable. Try again in a moment.',
  invalidated: 'The token was replaced in the meantime. Try again.',
}

export function toMessage(error: unknown): string {
  return (error instanceof TokenError && advice[error.code]) || (error as Error).message
}

/** Runs an action and shows its error. */
export async function runAction(action: () => Promise<void>): Promise<void> {
  // Screen readers speak changes only, so a repeated message must be cleared first.
  showStatus('')
  try {
    await action()
  } catch (error) {
    showStatus(toMessage(error))
  }
}

/** Runs an action on each click, unless it is still running. */
export function onClick(button: HTMLElement, action: () => Promise<void>): void {
  const run = async () => {
    // A disabled button would lose the focus.
    if (button.getAttribute('aria-disabled') === 'true') return
    button.setAttribute('aria-disabled', 'true')
    await runAction(action)
    button.removeAttribute('aria-disabled')
  }
  button.addEventListener('click', () => void run())
}

/** Shows a notice while a promise is slow. */
export function withSlowNotice<T>(promise: Promise<T>): Promise<T> {
  const timer = setTimeout(() => showStatus('Waiting for the token service…'), slowNoticeMs)
  return promise.finally(() => clearTimeout(timer))
}
