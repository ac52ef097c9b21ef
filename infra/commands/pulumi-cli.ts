// `npm run pulumi:cli`: finds or installs the Pulumi CLI and prints its path.
import { ensurePulumi } from '../pulumi-cli/pulumi-cli.ts'
import { createCommand, runCommand } from './command-line.ts'

const label = 'pulumi:cli'
const description = `find or install the Pulumi CLI, and print its path

Uses the CLI on PATH, or else the one in the cache.
If both are missing, downloads it with the official installer.
If the download fails, builds it with Go.`

const command = createCommand({ label, invocation: 'npm run pulumi:cli --' }, description).action(async () => {
  const cli = await ensurePulumi((line) => process.stderr.write(`${label}: ${line}\n`))
  process.stdout.write(`${cli.command}\n`)
})

await runCommand(label, command)
