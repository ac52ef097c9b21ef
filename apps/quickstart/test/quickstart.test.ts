import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startEmulator, type Emulator, type Fault } from '@acs-kit/communication-emulator'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const program = join(import.meta.dirname, '../src/quickstart.ts')

interface Environment {
  readonly [name: string]: string | undefined
}

/** Starts the quickstart with an environment that names a resource only if the test does. */
function start(args: readonly string[], environment: Environment = {}) {
  const { COMMUNICATION_SERVICES_CONNECTION_STRING: _, ACS_SDK: __, ...inherited } = process.env
  const child = spawn(process.execPath, [program, ...args], { env: { ...inherited, ...environment } })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  return { child, output, exit: once(child, 'close').then(([code]) => code as number | null) }
}

async function run(args: readonly string[] = [], environment: Environment = {}) {
  const { output, exit } = start(args, environment)
  const code = await exit
  return { ...output, code }
}

const id = '8:acs:[0-9a-f-]{36}_[0-9a-f-]{36}'
const transcript = (token: string) =>
  new RegExp(
    `^Azure Communication Services - Access Tokens Quickstart

Issued a access token with 'voip' scope for identity with ID: (?<id>${id}):
(?<voip>${token})

Issued a access token with 'chat' scope for identity with ID: \\k<id>:
(?<chat>${token})

Successfully deleted the identity with ID: \\k<id>

Deleted the identity with ID: \\k<id>
$`,
  )

describe.each(['administration', 'identity'])('with the %s SDK', (sdk) => {
  it('prints the transcript to standard output and the rest to standard error', async () => {
    const { stdout, stderr, code } = await run([], { ACS_SDK: sdk })
    expect(code).toBe(0)
    expect(stdout).toMatch(transcript(String.raw`[\w-]+\.[\w-]+\.[\w-]+`))
    const { voip, chat } = transcript(String.raw`[\w-]+\.[\w-]+\.[\w-]+`).exec(stdout)!.groups!
    const readScope = (token: string) =>
      (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { acsScope: string }).acsScope
    expect([readScope(voip!), readScope(chat!)]).toEqual(['voip', 'chat'])
    expect(stderr).toMatch(
      new RegExp(
        `^quickstart: using the ${sdk} SDK and a local emulator at https://localhost:\\d+
quickstart: refreshed the voip token: it expires on \\S+
quickstart: revoked all tokens of the identity
$`,
      ),
    )
  })

  it('shortens the tokens with --redact', async () => {
    const { stdout, code } = await run(['--redact'], { ACS_SDK: sdk })
    expect(code).toBe(0)
    expect(stdout).toMatch(transcript(String.raw`[\w-]{8}\.\.\.[\w-]{8}`))
  })

  describe('against a resource', () => {
    let emulator: Emulator
    beforeAll(async () => {
      emulator = await startEmulator()
    })
    beforeEach(() => emulator.reset())
    afterAll(() => emulator[Symbol.asyncDispose]())

    const environment = () => ({
      ACS_SDK: sdk,
      COMMUNICATION_SERVICES_CONNECTION_STRING: emulator.connectionString,
      NODE_EXTRA_CA_CERTS: emulator.caPath,
    })
    /** Rejects the nth request of the operation in a way that is not retried. */
    const rejectNth = (operation: string, nth: number): Fault[] => [
      ...(nth > 1 ? [{ operation, latencyMs: 1, count: nth - 1 }] : []),
      { operation, status: 400, count: 1 },
    ]

    it('leaves nothing behind and does not print the access key', async () => {
      const { stdout, stderr, code } = await run([], environment())
      expect(code).toBe(0)
      expect(stderr).toContain(new URL(emulator.endpoint).origin)
      expect(emulator.identities()).toEqual([])
      expect(emulator.requests.list().map(({ operation, status }) => `${operation} ${status}`)).toEqual([
        expect.stringMatching(/^createIdentity 20[01]$/),
        'issueAccessToken 200',
        'issueAccessToken 200',
        'issueAccessToken 200',
        'revokeAccessTokens 204',
        'deleteIdentity 204',
        'issueAccessToken 404',
      ])
      expect(stdout + stderr).not.toContain(emulator.accessKey)
    })

    it.each([
      ['issueAccessToken', 1],
      ['issueAccessToken', 2],
      ['issueAccessToken', 3],
      ['revokeAccessTokens', 1],
      ['deleteIdentity', 1],
    ] as const)('deletes the identity when %s fails at call %i', async (operation, nth) => {
      for (const fault of rejectNth(operation, nth)) emulator.faults.add(fault)
      const { stdout, stderr, code } = await run(['--redact'], environment())
      expect(code).toBe(1)
      expect(stdout).not.toContain('Deleted the identity')
      expect(stderr.trim().split('\n').at(-1)).toMatch(
        /^quickstart: failed: the service rejected the request \(400 InjectedFault\); try the other SDK \(ACS_SDK=/,
      )
      expect(emulator.identities()).toEqual([])
    })

    it('prints the id of an identity that it could not delete', async () => {
      emulator.faults.add({ operation: 'deleteIdentity', status: 400 })
      const { stderr, code } = await run(['--redact'], environment())
      expect(code).toBe(1)
      const [left] = emulator.identities()
      expect(stderr).toContain(`quickstart: could not delete the identity ${left!.communicationUserId}: `)
    })

    it('does not accept any other failure as proof of the deletion', async () => {
      for (const fault of rejectNth('issueAccessToken', 4)) emulator.faults.add(fault)
      const { stdout, code } = await run(['--redact'], environment())
      expect(code).toBe(1)
      expect(stdout).toContain('Successfully deleted the identity')
      expect(stdout).not.toContain('\nDeleted the identity')
    })

    it.each([
      ['SIGINT', { operation: 'issueAccessToken', latencyMs: 30_000 }],
      ['SIGTERM', { operation: 'revokeAccessTokens', latencyMs: 30_000 }],
      ['SIGINT', { operation: 'issueAccessToken', status: 429, retryAfterSeconds: 8 }],
      ['SIGINT', { operation: 'createIdentity', latencyMs: 1_000 }],
    ] as const)('deletes the identity when it is interrupted by %s at %j', async (signal, fault) => {
      emulator.faults.add(fault)
      const { child, output, exit } = start([], environment())
      await expect.poll(() => emulator.faults.list()[0]!.appliedCount).toBe(1)
      child.kill(signal)
      expect(await exit).toBe(1)
      expect(output.stderr).toMatch(/quickstart: failed: interrupted\n$/)
      expect(emulator.requests.list().at(-1)).toMatchObject({ operation: 'deleteIdentity', status: 204 })
      expect(emulator.identities()).toEqual([])
    })

    it('deletes the identity when standard output is closed', async () => {
      emulator.faults.add({ operation: 'createIdentity', latencyMs: 300 })
      const { child, output, exit } = start([], environment())
      child.stdout.once('data', () => child.stdout.destroy())
      expect(await exit).toBe(1)
      expect(output.stderr).toMatch(/quickstart: failed: standard output was closed\n$/)
      expect(emulator.identities()).toEqual([])
    })

    it('prints cause and remedy of rejected credentials in one line', async () => {
      const accessKey = Buffer.alloc(64, 3).toString('base64')
      const connectionString = `endpoint=${emulator.endpoint};accesskey=${accessKey}`
      const { stderr, code } = await run([], {
        ...environment(),
        COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
      })
      expect(code).toBe(1)
      expect(stderr).toMatch(
        /\nquickstart: failed: the service rejected the credentials \(401 Denied\); copy the connection string again.*\n$/,
      )
      expect(stderr).not.toContain(accessKey)
    })
  })
})

it.each([
  [{ COMMUNICATION_SERVICES_CONNECTION_STRING: 'endpoint=https://contoso/;accesskey=c2VjcmV0IQ' }, [], 'base64'],
  [{ COMMUNICATION_SERVICES_CONNECTION_STRING: 'c2VjcmV0IQ==' }, [], 'neither endpoint= nor accesskey='],
  [{ ACS_SDK: 'newest' }, [], 'must be identity or administration'],
  [{}, ['--nothing'], '--nothing'],
])('rejects %j %j in one line, without a secret', async (environment, args, words) => {
  const { stdout, stderr, code } = await run(args, environment)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^quickstart: failed: .*\n$/)
  expect(stderr).toContain(words)
  expect(stderr).not.toContain('c2VjcmV0')
})

it('suggests another HOME, not an option that it lacks, if HOME is a file', async () => {
  const { stderr, code } = await run([], { HOME: program, XDG_DATA_HOME: '' })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^quickstart: failed: the folder .* cannot be used: .*: choose a writable folder with HOME\n$/)
})

it.each(['--help', '-h'])('prints its options and variables with %s', async (option) => {
  const { stdout, stderr, code } = await run([option], { ACS_SDK: 'newest' })
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  for (const name of ['--redact', '--help', 'COMMUNICATION_SERVICES_CONNECTION_STRING', 'ACS_SDK'])
    expect(stdout).toContain(name)
})

it('quotes its own lines in the README', () => {
  const source = readFileSync(program, 'utf8')
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  const quotes = [...readme.matchAll(/^\| \d .*\| `(.*)` +\|$/gm)].map(([, quote]) => quote!)
  expect(quotes).toHaveLength(7)
  for (const quote of quotes) expect(source).toContain(quote)
})
