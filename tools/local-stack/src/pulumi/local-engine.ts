import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createStack, toReason, withoutResults } from '@acs-kit/infra/open-stack'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import type { EngineEvent, PulumiCommand, Stack, UpOptions } from '@pulumi/pulumi/automation/index.js'
import type { StandInProvider } from '../stand-in-provider/stand-in-provider.ts'
import type { GenuineProvider } from './genuine-provider.ts'

export interface OperationOptions {
  /** Called for each Azure resource; `type` is azure-native's, such as `CommunicationService`. */
  readonly onResource?: (type: string, operation: 'created' | 'deleted') => void
  /** Cancels the operation, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Azure provider of an engine: a running server, or a plugin that the engine starts. */
export type EngineProvider = StandInProvider | GenuineProvider

type ObservedOptions = Pick<UpOptions, 'color' | 'onEvent' | 'signal'>

const run = promisify(execFile)
const operations: Readonly<Record<string, 'created' | 'deleted'>> = { create: 'created', delete: 'deleted' }

/**
 * The genuine Pulumi engine, with the stand-in provider or the genuine one, on the unmodified program. Configuration and state
 * are in a temporary folder.
 */
export class LocalEngine implements AsyncDisposable {
  /** Contains everything that the engine writes. */
  readonly folder: string
  /** Environment of the CLI. The passphrase of the state's secrets exists only here. */
  readonly env: NodeJS.ProcessEnv
  readonly stack: Stack
  readonly #cli: PulumiCommand
  readonly #operations: Stack
  readonly #parts: AsyncDisposableStack

  private constructor(cli: PulumiCommand, stack: Stack, env: NodeJS.ProcessEnv, parts: AsyncDisposableStack) {
    this.folder = stack.workspace.workDir
    this.env = env
    this.stack = stack
    this.#cli = cli
    this.#operations = withoutResults(stack)
    this.#parts = parts
  }

  /** Creates the stack `local`. Disposing the engine stops the provider and removes the folder, which is empty at first. */
  static async start(
    cli: PulumiCommand,
    provider: EngineProvider,
    temporary = new TemporaryFolder(),
  ): Promise<LocalEngine> {
    await using parts = new AsyncDisposableStack()
    if ('port' in provider) parts.use(provider)
    const folder = parts.use(temporary).path
    mkdirSync(join(folder, 'state'))
    const home = join(folder, 'home')
    mkdirSync(home)
    if ('plugins' in provider) symlinkSync(provider.plugins, join(home, 'plugins'))
    const env = engineEnvironment(folder, home, provider)
    const stack = await createStack('local', { cli, folder, env }).catch((error: unknown) => {
      throw new Error(`pulumi stack init failed: ${toReason(error)}`, { cause: error })
    })
    return new LocalEngine(cli, stack, env, parts.move())
  }

  /** Sets configuration values by their paths, such as `issuers[0].issuer`. */
  async configure(settings: Readonly<Record<string, string>>): Promise<void> {
    const values = Object.entries(settings).map(([path, value]) => [path, { value }])
    await this.stack.setAllConfig(Object.fromEntries(values), true)
  }

  /** Creates or updates all resources. Rejects with the engine's diagnostics. */
  async up(options: OperationOptions = {}): Promise<void> {
    await observe('up', options, (observed) => this.#operations.up(observed))
  }

  /** Reads the outputs, including secrets. */
  async readOutputs(): Promise<Readonly<Record<string, string>>> {
    const args = ['stack', 'output', '--json', '--show-secrets', '--stack', this.stack.name, '--non-interactive']
    const { stdout } = await run(this.#cli.command, args, { cwd: this.folder, env: this.env })
    return JSON.parse(stdout) as Record<string, string>
  }

  /** Deletes all resources. Rejects with the engine's diagnostics. */
  async destroy(options: OperationOptions = {}): Promise<void> {
    await observe('destroy', options, (observed) => this.#operations.destroy(observed))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync()
  }
}

async function observe<Result>(
  name: string,
  { onResource, signal }: OperationOptions,
  operate: (options: ObservedOptions) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted()
  const errors: string[] = []
  const onEvent = ({ diagnosticEvent, resOutputsEvent }: EngineEvent): void => {
    if (diagnosticEvent?.severity === 'error') errors.push(diagnosticEvent.message.trim())
    const { op = '', type = '' } = resOutputsEvent?.metadata ?? {}
    const operation = operations[op]
    if (operation && type.startsWith('azure-native:')) onResource?.(type.split(':').at(-1)!, operation)
  }
  try {
    return await operate({ color: 'never', onEvent, ...(signal && { signal }) })
  } catch (error) {
    signal?.throwIfAborted()
    const reason = errors.length > 0 ? errors.join('\n') : toReason(error)
    throw new Error(`pulumi ${name} failed: ${reason}`, { cause: error })
  }
}

function engineEnvironment(folder: string, home: string, provider: EngineProvider): NodeJS.ProcessEnv {
  return childEnvironment({
    // Language hosts run the program with the first `node` on PATH.
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    PULUMI_BACKEND_URL: `file://${folder}/state`,
    PULUMI_HOME: home,
    PULUMI_CONFIG_PASSPHRASE: randomUUID(),
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
    PULUMI_STAND_IN_NODE: process.execPath,
    PULUMI_STAND_IN_HOST: join(import.meta.dirname, 'language-host.ts'),
    ...('port' in provider ? { PULUMI_DEBUG_PROVIDERS: `azure-native:${provider.port}` } : provider.env),
  })
}
