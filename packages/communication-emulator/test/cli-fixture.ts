import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export const cli = join(import.meta.dirname, '../src/cli.ts')
export const signedProgram = join(import.meta.dirname, '../examples/access-tokens.mjs')
export const keylessProgram = join(import.meta.dirname, 'programs/keyless.mjs')

/** Variables of a user who is signed in to Azure as a service principal, behind a proxy, with another resource. */
export const foreignVariables = {
  ...Object.fromEntries(
    ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'].map((name) => [
      name,
      'http://127.0.0.1:9',
    ]),
  ),
  NODE_USE_ENV_PROXY: '1',
  NO_PROXY: 'a.example, localhost',
  no_proxy: 'b.example',
  no_grpc_proxy: 'c.example',
  AZURE_AUTHORITY_HOST: 'login.microsoftonline.us',
  AZURE_CLIENT_ID: 'other',
  AZURE_CLIENT_SECRET: 'other',
  AZURE_TENANT_ID: 'other',
  AZURE_FEDERATED_TOKEN_FILE: '/missing',
  AZURE_TOKEN_CREDENTIALS: 'dev',
  COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING: 'endpoint=https://other.example/;accesskey=b3RoZXI=',
  IDENTITY_SERVER_THUMBPRINT: 'other',
}

export interface Run {
  readonly process: ChildProcess
  readonly output: { stdout: string; stderr: string }
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** Runs the CLI. */
export function run(args: readonly string[], environment: Record<string, string> = {}): Run {
  return runCommand(process.execPath, [cli, ...args], environment)
}

export function runCommand(command: string, args: readonly string[], environment: Record<string, string> = {}): Run {
  const child = spawn(command, args, { env: { ...process.env, ...environment } })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  const exit = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  onTestFinished(() => void child.kill('SIGKILL'))
  return { process: child, output, exit }
}

/** Starts an emulator, waits until it is ready, and returns its endpoint. */
export async function start(
  args: readonly string[] = [],
  environment: Record<string, string> = {},
): Promise<Run & { endpoint: URL }> {
  const started = run(['start', '--port', '0', ...args], environment)
  while (!/to trust: .*\n/.test(started.output.stdout)) {
    const ended = await Promise.race([once(started.process.stdout!, 'data').then(() => undefined), started.exit])
    if (ended) throw new Error(`the emulator ended early: ${started.output.stderr}`)
  }
  return { ...started, endpoint: new URL(/ready at (\S+)/.exec(started.output.stdout)![1]!) }
}
