import { onClick } from './actions.ts'
import { createChatPanel } from './chat-panel.ts'
import { readConfig } from './config.ts'
import { getElement } from './element.ts'
import { explainError } from './explain-error.ts'
import { showNotice } from './notice.ts'
import { createSignIn } from './sign-in.ts'
import { openTokenPanel } from './token-panel.ts'

/** Makes the page that a window opens sign in directly. */
const signInParameter = 'sign-in'

async function main(): Promise<void> {
  const config = await readConfig()
  const signIn = createSignIn(config)
  getElement('emulated').hidden = config.emulatorUrl === undefined
  onClick('page', getElement('sign-in'), () => signIn.start())
  if (new URLSearchParams(location.search).has(signInParameter)) return signIn.start({ asks: true })
  const user = await signIn.resume().catch((error: unknown) => {
    showNotice('page', { kind: 'error', text: 'Sign-in failed.', remedy: explainError(error).text })
  })
  getElement(user ? 'panel' : 'welcome').hidden = false
  if (!user) return
  const name = user.profile.name ?? user.profile.sub
  getElement('account').hidden = false
  getElement('name').textContent = name
  document.title = `${name} - acs-kit web demo`
  getElement('second-window').addEventListener('click', () => {
    // Without an opener, the window has a session of its own.
    window.open(`?${signInParameter}`, '_blank', 'noopener')
  })
  const chat = createChatPanel(name)
  const tokens = await openTokenPanel(config, signIn, chat.setIdentity)
  await chat.setTokens(tokens)
}

await main().catch((error: unknown) => {
  showNotice('page', { kind: 'error', ...explainError(error), retry: () => location.reload() })
})
