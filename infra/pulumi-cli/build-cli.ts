import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { promisify } from 'node:util'

/** Newest version in Go's module proxy; it runs programs of `@pulumi/pulumi` 3.270. */
export const builtVersion = '3.259.0'

const program = 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi'
const version = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${builtVersion}`
// The tag leaves out gRPC to Google Cloud Storage, which is 136 packages: the CLI then stores states there over HTTP.
const flags = ['-mod=readonly', '-trimpath', '-tags=disable_grpc_modules', '-ldflags', `-s -w ${version}`]
/** Between two lines of progress. */
export const progressIntervalMs = 10_000

/** Whether Go is installed. */
export async function hasGo(): Promise<boolean> {
  return promisify(execFile)('go', ['version']).then(
    () => true,
    () => false,
  )
}

/**
 * Builds the Pulumi CLI from its unmodified Go module.
 *
 * @param output path of the executable
 * @param log receives the progress, in lines
 * @throws {Error} if Go fails
 * @example
 * await buildCli('/tmp/pulumi', console.error)
 */
export async function buildCli(output: string, log: (line: string) => void): Promise<void> {
  log('building the Pulumi CLI with Go, once: takes about four minutes and 3 GB')
  // When it is interrupted, Go leaves its own temporary folder.
  using folder = mkdtempDisposableSync(join(tmpdir(), 'acs-kit-go-'))
  const packages: string[] = []
  let downloads = 0
  const reporting = setInterval(() => log(`${downloads} Go modules downloaded`), progressIntervalMs)
  await runGo(['list', ...flags, '-deps', '-f', '{{if .Stale}}{{.ImportPath}}{{end}}', program], {
    folder: folder.path,
    onOutput: (line) => packages.push(line),
    onLog: () => downloads++,
  }).finally(() => clearInterval(reporting))
  let built = 0
  const start = performance.now()
  const report = () => {
    const seconds = (performance.now() - start) / 1000
    const left = built > 0 ? `, about ${Math.ceil(((packages.length - built) * seconds) / built)} s left` : ''
    log(`${built} of ${packages.length} Go packages compiled${left}`)
  }
  report()
  const compiling = setInterval(report, progressIntervalMs)
  // With -v, Go prints the path of each package that it compiles.
  await runGo(['build', '-v', ...flags, '-o', output, program], {
    folder: folder.path,
    onLog: (line) => /^\S+$/.test(line) && built++,
  }).finally(() => clearInterval(compiling))
}

interface GoOptions {
  /** Folder of temporary files. */
  readonly folder: string
  readonly onOutput?: (line: string) => void
  readonly onLog: (line: string) => void
}

async function runGo(args: readonly string[], { folder, onOutput = () => {}, onLog }: GoOptions): Promise<void> {
  const go = spawn('go', args, {
    cwd: import.meta.dirname,
    env: { ...process.env, GOTMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = once(go, 'close')
  let last = ''
  createInterface(go.stdout).on('line', onOutput)
  createInterface(go.stderr).on('line', (line) => {
    onLog(line)
    last = line
  })
  await closed
  if (go.exitCode !== 0) throw new Error(`go ${args[0]} failed: ${last}`)
}
