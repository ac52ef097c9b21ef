import { explainError } from './explain-error.ts'
import { clearNotice, getNoticeKind, showNotice, type Area } from './notice.ts'

/** Users expect a sign of progress after this time. */
const slowNoticeMs = 500

/** Runs an action. Shows its error, with a button to run it again. */
export async function runAction(area: Area, action: () => Promise<void>, isRetry = false): Promise<void> {
  // Screen readers speak changes only, so a repeated message must be cleared first.
  clearNotice(area)
  const showProgress = () => {
    // Another action may have shown its result in the meantime.
    if (getNoticeKind(area) === undefined) showNotice(area, { kind: 'progress', text: 'Waiting for a response…' })
  }
  const timer = setTimeout(showProgress, slowNoticeMs)
  try {
    await action()
    if (getNoticeKind(area) === 'progress') clearNotice(area)
    if (isRetry && getNoticeKind(area) === undefined)
      showNotice(area, { kind: 'success', text: 'The retry succeeded.' })
  } catch (error) {
    showNotice(area, { kind: 'error', ...explainError(error), retry: () => void runAction(area, action, true) })
  } finally {
    clearTimeout(timer)
  }
}

/** Runs an action on each click, unless it is still running. */
export function onClick(area: Area, button: HTMLElement, action: () => Promise<void>, signal?: AbortSignal): void {
  button.addEventListener('click', () => void runOnce(area, button, action), { ...(signal && { signal }) })
}

/** Runs an action on each submission of a form, unless it is still running. */
export function onSubmit(area: Area, form: HTMLFormElement, action: () => Promise<void>, signal: AbortSignal): void {
  const control = form.querySelector<HTMLElement>('button:not([type])') ?? form.querySelector('input')!
  const submit = (event: Event) => {
    event.preventDefault()
    void runOnce(area, control, action)
  }
  form.addEventListener('submit', submit, { signal })
}

async function runOnce(area: Area, control: HTMLElement, action: () => Promise<void>): Promise<void> {
  // A disabled button would lose the focus.
  if (control.getAttribute('aria-disabled') === 'true') return
  control.setAttribute('aria-disabled', 'true')
  await runAction(area, action)
  control.removeAttribute('aria-disabled')
}
