import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import type { Emulator } from '@acs-kit/communication-emulator'
import type { LocalEngine } from '../src/pulumi/local-engine.ts'
import { cli } from './pulumi-process.ts'

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv
  /** What the user types. */
  readonly input?: string
  /** Receives the process and each text that it prints. */
  readonly onOutput?: (child: ChildProcess, text: string) => void
}

/**
 * Prepares a command of `infra` for the stack of an engine. The command runs Pulumi in `infra`, but the configuration of this
 * stack is in the engine's folder. A call whose arguments match the shell pattern `KILL_AT` kills the command and does nothing.
 */
export function prepareCommand(script: string, engine: LocalEngine, emulator: Emulator) {
  const { folder } = engine
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const real = cli!.command === 'pulumi' ? `PATH='${process.env['PATH']}' pulumi` : `'${cli!.command}'`
  const kill = `case " $* " in $KILL_AT) kill -9 0;; esac`
  writeFileSync(join(bin, 'pulumi'), `#!/bin/sh\ncd '${folder}'\n${kill}\nexec env ${real} "$@"\n`)
  chmodSync(join(bin, 'pulumi'), 0o755)
  const { endpoint, header } = emulator.entra.managedIdentity
  const prepared = {
    ...engine.env,
    PATH: [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
    HOME: folder,
    ARM_METADATA_HOSTNAME: emulator.endpoint.slice(0, -1),
    NODE_EXTRA_CA_CERTS: emulator.caPath,
    IDENTITY_ENDPOINT: endpoint,
    IDENTITY_HEADER: header,
  }
  /** Runs the command in a process group of its own, as in a terminal. */
  return async (args: readonly string[], { env, input, onOutput }: CommandOptions = {}): Promise<CommandResult> => {
    const child = spawn(process.execPath, [script, ...args], {
      env: { ...prepared, ...env },
      detached: true,
      stdio: 'pipe',
    })
    child.stdin.end(input)
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text
        onOutput?.(child, text)
      })
    }
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, ...output }
  }
}
