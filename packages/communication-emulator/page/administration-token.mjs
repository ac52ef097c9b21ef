import { field, openDialog } from './action.mjs'
import { isTokenRejected, setToken } from './api.mjs'
import { element } from './dom.mjs'

/** Asks for the administration token until the emulator accepts it. A browser on the emulator's machine receives it with the page. */
export async function askForToken() {
  // Without a response, the page reports that the emulator does not respond.
  while (await isTokenRejected().catch(() => false)) {
    const input = element('input', { type: 'password', autocomplete: 'off', required: true, autofocus: true })
    await openDialog(
      'Administration token',
      element('p', {}, 'The emulator runs on another machine. Enter the token that it was started with.'),
      field('Token', input),
      element('div', { class: 'buttons' }, element('button', { value: 'confirm', class: 'main' }, 'Continue')),
    )
    setToken(input.value)
  }
}
