import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import spawn from 'cross-spawn'
import type { PulumiCli } from '@acs-kit/infra/pulumi-cli'
import type { StandInProvider } from '../stand-in-provider/stand-in-provider.ts'

export interface PulumiRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const program = dirname(fileURLToPath(import.meta.resolve('@acs-kit/infra')))
const stack = 'local'
/** Commands that take the file of a stack's configuration. */
const configured = new Set(['config', 'preview', 'up', 'refresh', 'destroy'])

/**
 * The genuine Pulumi engine with the stand-in provider, on the program as it is. Configuration and state are in a
 * temporary folder, so that nothing of a run is left in the tree.
 */
export class LocalEngine implements AsyncDisposable {
  /** Everything that the engine keeps. */
  readonly folder: string
  readonly #cli: PulumiCli
  readonly #provider: StandInProvider
  /** In memory only: without it, nobody reads what is secret in the state. */
  readonly #passphrase = randomUUID()

  private constructor(cli: PulumiCli, provider: StandInProvider, folder: string) {
    this.#cli = cli
    this.#provider = provider
    this.folder = folder
  }

  /** Takes the provider, and stops it in the end. */
  static async start(cli: PulumiCli, provider: StandInProvider): Promise<LocalEngine> {
    const folder = mkdtempSync(join(tmpdir(), 'acs-kit-engine-'))
    mkdirSync(join(folder, 'state'))
    const engine = new LocalEngine(cli, provider, folder)
    // It writes the stack's configuration beside the project's file.
    copyFileSync(join(program, 'Pulumi.yaml'), join(folder, 'Pulumi.yaml'))
    const { code, stderr } = await engine.#finish(engine.#launch(['stack', 'init', stack, '--cwd', folder]))
    if (code === 0) return engine
    await engine[Symbol.asyncDispose]()
    throw new Error(`the stack could not be made: ${stderr}`)
  }

  /** Environment variables that point the CLI to this folder, the provider and the language host. */
  get env() {
    return {
      PULUMI_BACKEND_URL: `file://${this.folder}/state`,
      PULUMI_HOME: join(this.folder, 'home'),
      PULUMI_CONFIG_PASSPHRASE: this.#passphrase,
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
      PULUMI_DEBUG_PROVIDERS: `azure-native:${this.#provider.port}`,
      PULUMI_STAND_IN_NODE: process.execPath,
      PULUMI_STAND_IN_HOST: join(import.meta.dirname, 'language-host.ts'),
    }
  }

  /** A command of Pulumi, on the program and its stack. */
  run(...args: string[]): Promise<PulumiRun> {
    return this.#finish(this.launch(...args))
  }

  launch(...args: string[]): ChildProcess {
    const own = !configured.has(args[0]!) ? [] : ['--config-file', join(this.folder, `Pulumi.${stack}.yaml`)]
    return this.#launch([...args, ...own, '--stack', stack, '--cwd', program])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #launch(args: readonly string[]): ChildProcess {
    return spawn(this.#cli.command, [...args, '--non-interactive', '--color', 'never'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // The language host runs the program with the first `node` on PATH.
      env: childEnvironment({ PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter), ...this.env }),
    })
  }

  async #finish(child: ChildProcess): Promise<PulumiRun> {
    const output = { stdout: '', stderr: '' }
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, ...output }
  }
}
