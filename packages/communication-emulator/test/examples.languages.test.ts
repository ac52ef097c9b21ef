import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import { createEnvironment } from '../src/environment.ts'
import { startEmulator, wellKnownClientSecret, wellKnownConfidentialClientId, wellKnownTenantId } from '../src/index.ts'

const cli = join(import.meta.dirname, '../src/cli.ts')
const programs = join(import.meta.dirname, 'programs')
const examples = join(import.meta.dirname, '../examples')
const transcript = new RegExp(
  [
    'created 8:acs:.*',
    'issued a voip token that expires on .*',
    'issued a chat token that expires on .*',
    'refreshed the voip token, which expires on .*',
    'revoked all tokens',
    'deleted the identity\\n$',
  ].join('\\n'),
)

const chatTranscript =
  /^created a thread: Lunch\nAlice: Noon\?\nread by 8:acs:.*\nstill there: Alice\ndeleted the thread\n$/

/** Runs `communication-emulator exec -- <command>`. */
async function exec(...command: string[]) {
  return execWith({}, ...command)
}

async function execWith(variables: Record<string, string>, ...command: string[]) {
  // The result must not depend on what this machine already trusts.
  const { SSL_CERT_FILE: _, REQUESTS_CA_BUNDLE: __, NODE_EXTRA_CA_CERTS: ___, ...environment } = process.env
  const options = { env: { ...environment, ...variables } }
  return promisify(execFile)(process.execPath, [cli, 'exec', '--', ...command], options)
}

function readVariable(name: string, language: string): string | undefined {
  const value = process.env[name]
  if (value === undefined)
    process.stderr.write(`NOT RUN: ${language} against the emulator, no ${name} (.ci/languages)\n`)
  return value
}

const python = readVariable('COMMUNICATION_TEST_PYTHON', 'Python')
const olderSdk = readVariable('COMMUNICATION_TEST_PYTHON_OLDER', 'Python with an older SDK')
const classpath = readVariable('COMMUNICATION_TEST_JAVA_CLASSPATH', 'Java')
const dotnet = readVariable('COMMUNICATION_TEST_DOTNET', 'C#')
const goProgram = readVariable('COMMUNICATION_TEST_GO', 'Go')

it('serves an unmodified program in JavaScript', async () => {
  expect((await exec(process.execPath, join(examples, 'access-tokens.mjs'))).stdout).toMatch(transcript)
})

it('serves an unmodified chat program in JavaScript', async () => {
  expect((await exec(process.execPath, join(examples, 'chat.mjs'))).stdout).toMatch(chatTranscript)
})

it('serves an unmodified program for Teams Phone extensibility in JavaScript', async () => {
  const { stdout } = await exec(process.execPath, join(examples, 'teams-extension.mjs'))
  expect(stdout).toMatch(
    /^PUT assignment: 201\n8:acs:[^_]+_[^_]+_[^_]+: a voip token that expires on .*\nDELETE assignment: 204\n$/,
  )
})

it("serves Microsoft's access-token quickstart with its @azure/identity of 2021", async () => {
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
  expect((await exec(python!, join(examples, 'access_tokens.py'))).stdout).toMatch(transcript)
})

it.runIf(python)('serves an unmodified chat program in Python', async () => {
  expect((await exec(python!, join(examples, 'chat.py'))).stdout).toMatch(chatTranscript)
})

it.runIf(python)('serves the unmodified credential for Entra ID users in Python', async () => {
  const { stdout } = await exec(python!, join(programs, 'entra_credential.py'))
  expect(stdout).toBe('2\n3\n2\n3\n')
})

it.runIf(python && olderSdk)('serves every api-version that an older Python SDK offers', async () => {
  const { stdout } = await execWith({ PYTHONPATH: olderSdk! }, python!, join(programs, 'api_versions.py'))
  expect(stdout).toBe('2021-03-07\n2022-06-01\n2022-10-01\n')
})

it.runIf(classpath)('serves an unmodified program in Java', async () => {
  const { stdout } = await exec('java', '-cp', classpath!, join(examples, 'AccessTokens.java'))
  expect(stdout).toMatch(transcript)
})

it.runIf(classpath)('serves an unmodified chat program in Java', async () => {
  expect((await exec('java', '-cp', classpath!, join(examples, 'Chat.java'))).stdout).toMatch(chatTranscript)
})

it.runIf(dotnet)('serves an unmodified program in C#', async () => {
  const { stdout } = await exec(dotnet!, 'run', join(examples, 'AccessTokens.cs'))
  expect(stdout).toMatch(transcript)
})

it.runIf(goProgram)('serves an unmodified program in Go, which signs in as an application and provisions', async () => {
  await using emulator = await startEmulator()
  const { variables } = createEnvironment(emulator, {})
  const manager = emulator.endpoint.slice(0, -1)
  const { stdout } = await promisify(execFile)(goProgram!, {
    env: {
      HOME: temporaryFolder(),
      ...variables,
      AZURE_AUTHORITY_HOST: manager,
      AZURE_TENANT_ID: wellKnownTenantId,
      AZURE_CLIENT_ID: wellKnownConfidentialClientId,
      AZURE_CLIENT_SECRET: wellKnownClientSecret,
      ARM_ENDPOINT: manager,
      ARM_SUBSCRIPTION_ID: '11111111-2222-4333-8444-555555555555',
    },
  })
  expect(stdout).toMatch(/^8:acs:.* created\ncalls deleted\n$/)
})
