import { once } from 'node:events'
import { parseConnectionString } from '@acs-kit/communication-identity'
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import { hintsOf } from './hints.ts'
import { ProvisionedStack } from './provisioned-stack.ts'
import { Stack, type RunningStack, type StackPorts } from './stack.ts'
import { Transcript } from './transcript.ts'
import { runQuickstart, walk } from './walk.ts'

export interface LifeOptions {
  /** Without it, nothing is provisioned. */
  readonly cli: PulumiCommand | undefined
  /** Connection string of the resource; default: the emulator's. Only without `cli`. */
  readonly connectionString?: string | undefined
  /** Default: with access keys. Only with `cli`. */
  readonly keyless?: boolean
  readonly ports: StackPorts
  /** Whether everything stays up until `signal` ends it; otherwise that is an interruption. */
  readonly stays: boolean
  readonly signal: AbortSignal
}

/** Shows a resource's whole life: how it comes about, the tokens that it gives, the quickstart, and its end. Rejects if anything fails. */
export async function showLife({
  cli,
  connectionString: named,
  keyless = false,
  ports,
  stays,
  signal,
}: LifeOptions): Promise<void> {
  const transcript = new Transcript()
  const stopped = once(signal, 'abort')
  await using open = new AsyncDisposableStack()
  const live = async (): Promise<RunningStack> => {
    const stack = open.use(cli ? await provision(cli) : await start())
    await walk(stack, transcript)
    await runQuickstart(stack, transcript, signal)
    return stack
  }
  const work = live()
  await Promise.race([stopped, work])
  if (signal.aborted) {
    await work.catch(() => undefined)
    signal.throwIfAborted()
  }
  const stack = await work
  if (stays) {
    transcript.say(`\nEverything stays up until Ctrl+C.\n${hintsOf(stack)}`)
    await stopped
  }
  if (stack instanceof ProvisionedStack) {
    transcript.title('pulumi destroy')
    await stack.destroy()
  }
  await open.disposeAsync()
  transcript.say('\nEverything is stopped, nothing is left.')

  function provision(pulumi: PulumiCommand): Promise<ProvisionedStack> {
    transcript.title(`pulumi up: genuine engine, stand-in provider, emulated Azure${keyless ? ', keyless' : ''}`)
    const onStep = (what: string, text: string) => transcript.step(what, text)
    return ProvisionedStack.start({ cli: pulumi, keyless, ports, onStep, signal })
  }

  async function start(): Promise<Stack> {
    transcript.title('Running on this machine')
    const started = await Stack.start({ ports, connectionString: named })
    const { isAzureEmulated, emulator, connectionString, service } = started
    const azure = isAzureEmulated
      ? `emulated, at ${emulator.endpoint}`
      : `real: ${parseConnectionString(connectionString).endpoint}`
    transcript.step('Azure', azure)
    transcript.step('sign-in', 'emulated, by OpenID Connect')
    transcript.step('identities', 'kept in Azurite')
    transcript.step('token service', `from its sources, at ${service.url}`)
    return started
  }
}
