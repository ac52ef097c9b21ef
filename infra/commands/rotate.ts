// `npm run rotate`: replaces an access key of a stack without rejecting a request or ending a token early.
import { setTimeout as sleep } from 'node:timers/promises'
import { DefaultAzureCredential } from '@azure/identity'
import { Option } from 'commander'
import { readCloud } from '../cloud.ts'
import { createCommand, runCommand } from './command-line.ts'
import { requirePulumi } from '../pulumi-cli/pulumi-cli.ts'
import { rotateKey } from '../rotation/rotate-key.ts'
import { keyNames, type KeyName } from '../rotation/rotation-record.ts'
import { openStack } from '../stack/open-stack.ts'
import { confirm } from '../teardown/confirmation.ts'

interface RotateFlags {
  readonly now?: KeyName
  readonly wait?: true
  readonly yes?: true
}

const label = 'rotate'
/** Exit code of a rotation that has to be continued later. */
const notFinished = 2
/** A timer of a day would fire late if the machine sleeps meanwhile. */
const maxSleepMs = 60_000

const command = createCommand(
  { label, invocation: 'npm run rotate --' },
  'replace the active access key of a stack without interruption; run it again to continue',
)
  .argument('<stack>', 'name of the stack, such as dev')
  .option('--wait', `keep running until it is finished; default: exit with ${notFinished} when it has to wait`)
  .addOption(new Option('--now <key>', 'replace a leaked key at once, which ends all of its tokens').choices(keyNames))
  .option('--yes', 'with --now, do not ask for confirmation')
  .action(async (name: string, flags: RotateFlags) => {
    process.exitCode = (await run(name, flags)) ? 0 : notFinished
  })

async function run(name: string, { now: leakedKey, wait, yes }: RotateFlags): Promise<boolean> {
  if (yes && leakedKey === undefined) throw new Error('--yes applies only to --now: omit it')
  const stack = await openStack(name, await requirePulumi())
  for (;;) {
    const continueAt = await rotateKey({
      stack,
      leakedKey,
      credential: new DefaultAzureCredential(),
      cloud: readCloud(process.env),
      output: process.stdout,
      confirm: () => confirm(name, { isConfirmed: yes, purpose: 'end the tokens of the stack' }),
      patience: { timeoutMs: 300_000, intervalMs: 1000 },
      now: Date.now,
    })
    if (continueAt === undefined) return true
    if (!wait) {
      process.stdout.write(`Run \`npm run rotate -- ${name}\` again after ${continueAt.toISOString()} to continue.\n`)
      return false
    }
    process.stdout.write(`Waiting until ${continueAt.toISOString()}.\n`)
    while (Date.now() < continueAt.getTime()) await sleep(Math.min(continueAt.getTime() - Date.now(), maxSleepMs))
  }
}

await runCommand(label, command)
