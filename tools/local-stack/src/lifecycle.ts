import { once } from 'node:events'
import { startLocalStack, type LocalStack, type LocalStackOptions } from './local-stack.ts'
import { runChat, runQuickstart, runTokenScenario } from './token-scenario.ts'
import { Transcript } from './transcript.ts'
import { formatUsage } from './usage.ts'

export interface LifecycleOptions extends Omit<LocalStackOptions, 'onLog' | 'onStep' | 'signal'> {
  /** Keeps the stack running until `signal` is aborted. Default: an abort is an interruption. */
  readonly staysUp: boolean
  readonly signal: AbortSignal
}

/** Issues tokens for the emulator's default resource, which needs nothing but Node, and stops everything. */
export async function showFirstTokens(options: Pick<LifecycleOptions, 'keyFolder' | 'signal'>): Promise<void> {
  const transcript = new Transcript()
  transcript.printTitle('First tokens, while the Pulumi CLI is being installed')
  await using stack = await startLocalStack({ ...options, ports: { emulator: 0, service: 0 } })
  printParts(stack, transcript)
  options.signal.throwIfAborted()
  await runTokenScenario(stack, transcript)
}

/**
 * Shows the lifecycle of a resource: starts a stack, issues tokens, runs the quickstart, and stops and destroys everything.
 * Rejects if a step fails.
 */
export async function runLifecycle({ staysUp, signal, ...options }: LifecycleOptions): Promise<void> {
  const transcript = new Transcript()
  const stopped = once(signal, 'abort')
  await using parts = new AsyncDisposableStack()
  const ready = startAndUse()
  await Promise.race([stopped, ready])
  if (signal.aborted) {
    await ready.catch(() => undefined)
    signal.throwIfAborted()
  }
  const stack = await ready
  if (staysUp) {
    transcript.print(`\nEverything keeps running until Ctrl+C.\n\n${formatUsage(stack, options.keyFolder)}\n`)
    const reason = await Promise.race([stopped.then(() => undefined), stack.service.exited()])
    if (reason !== undefined) throw new Error(`${reason}: stopping everything, run the same command again`)
  }
  if (stack.resources) {
    transcript.printTitle('pulumi destroy')
    await stack.service[Symbol.asyncDispose]()
    transcript.printStep('stopped', 'the token service')
    await stack.resources.destroy(staysUp ? undefined : signal)
  }
  await parts.disposeAsync()
  transcript.print('\nEverything is stopped, and nothing remains.')

  async function startAndUse(): Promise<LocalStack> {
    const { provision } = options
    transcript.printTitle(
      provision
        ? `pulumi up: genuine engine, ${provision.plugin ? 'genuine' : 'stand-in'} provider, emulated Azure${provision.keyless ? ', keyless' : ''}`
        : 'Running on this machine',
    )
    const onStep = (name: string, result: string) => transcript.printStep(name, result)
    const stack = parts.use(await startLocalStack({ ...options, onStep, signal }))
    if (!provision) printParts(stack, transcript)
    await runTokenScenario(stack, transcript)
    signal.throwIfAborted()
    transcript.printTitle('Two people in a chat, with the chat SDK')
    // At once, to save time. Both clean up before the stack stops, even if the other one fails.
    const [chat, quickstart] = await Promise.all([runChat(stack, signal), runQuickstart(stack, signal)])
    if (chat.failure) throw chat.failure
    transcript.printTitle('The same steps in one file: the access-token quickstart')
    transcript.print(quickstart.output.trimEnd())
    if (quickstart.failure) throw quickstart.failure
    return stack
  }
}

function printParts({ isAzureEmulated, communicationEndpoint, service }: LocalStack, transcript: Transcript): void {
  transcript.printStep('Azure', `${isAzureEmulated ? 'emulated, at' : 'real:'} ${communicationEndpoint}`)
  transcript.printStep('sign-in', 'emulated, over OpenID Connect')
  transcript.printStep('identities', 'stored in Azurite')
  transcript.printStep('token service', `from its sources, at ${service.url}`)
}
