import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

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
