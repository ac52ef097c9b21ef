import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { temporaryFolder } from './temporary-folder.ts'

const cli = join(import.meta.dirname, '../src/cli.ts')
const programs = join(import.meta.dirname, 'programs')

/** Runs a program as a person would: `communication-emulator exec -- <command>`. */
async function exec(...command: string[]) {
  // What this machine trusts otherwise must not matter.
  const { SSL_CERT_FILE: _, REQUESTS_CA_BUNDLE: __, NODE_EXTRA_CA_CERTS: ___, ...environment } = process.env
  return promisify(execFile)(process.execPath, [cli, 'exec', '--', ...command], { env: environment })
}

function variableOf(name: string, language: string): string | undefined {
  const value = process.env[name]
  if (value === undefined)
    process.stderr.write(`NOT RUN: ${language} against the emulator, no ${name} (.ci/languages)\n`)
  return value
}

const python = variableOf('COMMUNICATION_TEST_PYTHON', 'Python')
const classpath = variableOf('COMMUNICATION_TEST_JAVA_CLASSPATH', 'Java')

const hasGo = await promisify(execFile)('go', ['version']).then(
  () => true,
  () => false,
)
if (!hasGo) process.stderr.write('NOT RUN: Go against the emulator, no go on PATH\n')

it('serves an unmodified program in JavaScript', async () => {
  expect((await exec(process.execPath, join(programs, 'round-trip.mjs'))).stdout).toMatch(/^8:acs:.* deleted\n$/)
})

it("serves Microsoft's access-token quickstart with the @azure/identity of 2021 that it depends on", async () => {
  const folder = temporaryFolder()
  const packages = { identity: 'azure-identity-1', 'communication-identity': '@azure/communication-identity' }
  mkdirSync(join(folder, 'node_modules/@azure'), { recursive: true })
  for (const [name, installed] of Object.entries(packages)) {
    const target = dirname(findPackageJSON(installed, import.meta.url)!)
    symlinkSync(target, join(folder, 'node_modules/@azure', name), 'junction')
  }
  const program = join(folder, 'issue-access-token.js')
  copyFileSync(join(programs, 'access-token-quickstart.cjs'), program)
  expect((await exec(process.execPath, program)).stdout).toMatch(/^8:acs:.* deleted\n$/)
})

it.runIf(python)('serves an unmodified program in Python', async () => {
  expect((await exec(python!, join(programs, 'round_trip.py'))).stdout).toMatch(/^8:acs:.* deleted\n$/)
})

it.runIf(classpath)('serves an unmodified program in Java', async () => {
  const { stdout } = await exec('java', '-cp', classpath!, join(programs, 'RoundTrip.java'))
  expect(stdout).toMatch(/^8:acs:.* deleted\n$/)
})

it.runIf(hasGo)('is trusted by an unmodified program in Go', async () => {
  expect((await exec('go', 'run', join(programs, 'health.go'))).stdout).toBe('200 OK\n')
})
