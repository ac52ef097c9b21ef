// Run by `CliInstallation` in a process group of its own: installs the Pulumi CLI and sends the progress to its parent.
import { setPriority } from 'node:os'
import { ensurePulumi } from '@acs-kit/infra/pulumi-cli'

export type InstallMessage =
  | { readonly progress: string }
  | { readonly error: string; readonly code: string | undefined }

const stop = new AbortController()
// The parent stopped, or no longer needs the CLI. Installers and compilers are in this group.
process.on('disconnect', () => {
  if (process.platform === 'win32') process.exit(1)
  stop.abort()
  // This process waits for them, to remove their temporary files.
  process.on('SIGINT', () => {})
  process.kill(-process.pid, 'SIGINT')
})
// Lower, so that the first tokens appear sooner, but not so low that a busy machine never finishes the installation.
setPriority(5)
const send = (message: InstallMessage) => new Promise((resolve) => process.send!(message, resolve))
try {
  await ensurePulumi((progress) => void send({ progress }), stop.signal)
  process.exit()
} catch (error) {
  const { message, code } = error as NodeJS.ErrnoException
  await send({ error: message, code })
  process.exit(1)
}
