import { onClick, toMessage } from './actions.ts'
import { readConfig } from './config.ts'
import { getElement, showStatus, showUser } from './page.ts'
import { SignIn } from './sign-in.ts'
import { TokenPanel } from './token-panel.ts'

async function main(): Promise<void> {
  const config = await readConfig()
  const signIn = new SignIn(config)
  getElement('emulated').hidden = config.emulatorUrl === undefined
  onClick(getElement('sign-in'), () => signIn.start())
  const user = await signIn.resume().catch((error: unknown) => showStatus(`Sign-in failed: ${toMessage(error)}`))
  if (!user) return showUser(undefined)
  showUser(user.profile.name ?? user.profile.sub)
  const panel = new TokenPanel(config, signIn)
  onClick(getElement('sign-out'), async () => {
    panel.close()
    await signIn.end()
  })
  await panel.open()
}

await main().catch((error: unknown) => showStatus(toMessage(error)))
