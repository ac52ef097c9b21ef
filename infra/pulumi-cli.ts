// `pnpm pulumi:cli`: finds or installs the Pulumi CLI and prints its path.
import { createCommand, runCommand } from './command-line.ts'
import { ensurePulumi } from './pulumi-cli/pulumi-cli.ts'

const description = `Find the Pulumi CLI or install it, and print its path.

Uses the CLI on PATH, or else the one in the cache. If both are missing, downloads it with the official installer or,
when the download fails, builds it with Go.`

const command = createCommand('pulumi:cli', description).action(async () => {
  const cli = await ensurePulumi((line) => process.stderr.write(`pulumi:cli: ${line}\n`))
  process.stdout.write(`${cli.command}\n`)
})

await runCommand(command)
