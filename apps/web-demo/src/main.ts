import { onClick, toMessage } from './actions.ts'
import { readConfig } from './config.ts'
import { getElement, showStatus, showUser } from './page.ts'
import { createSignIn } from './sign-in.ts'
import { openTokenPanel } from './token-panel.ts'

async function main(): Promise<void> {
  const config = await readConfig()
  const signIn = createSignIn(config)
  getElement('emulated').hidden = config.emulatorUrl === undefined
  onClick(getElement('sign-in'), () => signIn.start())
  const user = await signIn.resume().catch((error: unknown) => showStatus(`Sign-in failed: ${toMessage(error)}`))
  if (!user) return showUser(undefined)
  showUser(user.profile.name ?? user.profile.sub)
  await openTokenPanel(config, signIn)
}

await main().catch((error: unknown) => showStatus(toMessage(error)))
