import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { installEnvironment } from '@acs-kit/test-support/registry'

/** The oldest version that all packages support. */
const minNode = '22.19.0'

/** Executables of Node by their major version. */
export type Nodes = Readonly<Record<string, string>>

export interface RunningApp extends AsyncDisposable {
  /** Result that the app printed when it was ready. */
  readonly result: Record<string, string>
}

let apps = 0

/** Installs `minNode`, whose programs run next to those of this Node. */
export async function installNodes(folder: string): Promise<Nodes> {
  // The package is installed by a script.
  const env = { ...installEnvironment, npm_config_ignore_scripts: 'false' }
  await run('npm', ['install', `node@${minNode}`], folder, env)
  return { '22': join(folder, 'node_modules/node/bin/node'), '24': process.execPath }
}

/** A project outside of this workspace that installs packages from tarballs and the registry. */
export class InstalledProject {
  readonly folder: string
  readonly #nodes: Nodes

  /** The folder must be empty. */
  constructor(folder: string, nodes: Nodes) {
    this.folder = folder
    this.#nodes = nodes
    writeFileSync(this.path('package.json'), '{ "type": "module", "private": true }')
    const source = join(import.meta.dirname, 'installed-project')
    for (const file of readdirSync(source)) cpSync(join(source, file), this.path(file))
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text)
  }

  /** Fails if a package does not support `minNode`. `unpublished` are tarballs that other tarballs depend on, by name. */
  async install(
    manager: 'npm' | 'pnpm',
    packages: readonly string[],
    unpublished: Record<string, string>,
  ): Promise<void> {
    if (manager === 'npm') {
      const env = { ...installEnvironment, ...this.#environment('22') }
      await run('npm', ['install', '--engine-strict', '--prefer-offline', ...packages], this.folder, env)
      return
    }
    const overrides = Object.entries(unpublished).map(([name, tarball]) => `  '${name}': file:${tarball}\n`)
    this.write(
      'pnpm-workspace.yaml',
      `engineStrict: true\nnodeVersion: ${minNode}\nminimumReleaseAge: 4320\noverrides:\n${overrides.join('')}`,
    )
    await run('pnpm', ['add', '--prefer-offline', ...packages], this.folder, installEnvironment)
  }

  /** Runs a command with a version of Node that `nodes` has. */
  run(version: string, command: string, ...args: string[]) {
    return run(command, args, this.folder, this.#environment(version))
  }

  /** Starts app.mjs, which runs until it is disposed. */
  async startApp(version: string, storeConnectionString: string): Promise<RunningApp> {
    const child = spawn('npx', ['communication-emulator', 'exec', '--', 'node', 'app.mjs'], {
      cwd: this.folder,
      env: {
        ...this.#environment(version),
        IDENTITY_STORE_CONNECTION_STRING: storeConnectionString,
        IDENTITY_STORE_TABLE: `app${++apps}`,
      },
    })
    const closed = once(child, 'close')
    const result = await new Promise<Record<string, string>>((resolve, reject) => {
      let output = ''
      const onData = (data: Buffer) => {
        output += data.toString()
        const [, json] = /^result: (.*)\n/m.exec(output) ?? []
        if (json !== undefined) resolve(JSON.parse(json) as Record<string, string>)
      }
      child.stdout.on('data', onData)
      child.stderr.on('data', onData)
      child.once('error', reject)
      child.once('exit', () => reject(new Error(`the app stopped: ${output}`)))
    })
    return {
      result,
      async [Symbol.asyncDispose]() {
        child.stdin.end()
        await closed
      },
    }
  }

  #environment(version: string): NodeJS.ProcessEnv {
    const PATH = [dirname(this.#nodes[version]!), process.env['PATH']].join(delimiter)
    return childEnvironment({ PATH })
  }
}

function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
  return promisify(execFile)(command, args, { cwd, env })
}
