import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { emulatorCommand, EmulatorProcess, emulatorScript } from '@acs-kit/local-stack/emulator-process'
import { invalidSignatures } from '../fuzz/generated-request.ts'
import { makeRoundTrip } from '../fuzz/round-trip.ts'
import { toWire } from '../fuzz/wire-request.ts'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { ServerProcess, type ServerCommand } from '@acs-kit/test-support/server-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { CommandLines } from './command-lines.ts'
import { runAgainstEchoes } from './echo-runs.ts'
import { findSecrets, separateIssuedTokens } from './find-secrets.ts'

const quickstartScript = fileURLToPath(import.meta.resolve('@acs-kit/quickstart'))
/** Emulator, service and quickstart under one roof. */
const startScript = fileURLToPath(import.meta.resolve('@acs-kit/local-stack/start'))

export interface SecretsReport {
  /** What was shown where it should not be. */
  readonly leaks: string[]
  /** Runs of the quickstart that went through, each with its two tokens. */
  readonly transcripts: number
  readonly refusals: number
  readonly tokens: readonly string[]
  readonly commandLines: ReadonlySet<string>
}

function createKey(): string {
  return randomBytes(64).toString('base64')
}

interface Printed {
  readonly what: string
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs the emulator and the quickstart with keys of their own, through successes and refusals, and looks for those keys and
 * for tokens in everything that was printed and in every command line.
 */
export async function drillSecrets(): Promise<SecretsReport> {
  using folder = new TemporaryFolder()
  using commandLines = new CommandLines()
  const keys: Record<string, string> = { 'the given key': createKey(), "a stranger's key": createKey() }
  const given = keys['the given key']!
  const options = { keyFolder: `${folder.path}/keys`, dataFolder: `${folder.path}/data`, accessKey: given }
  const printed: Printed[] = []
  const run = async (what: string, command: Omit<ServerCommand, 'ready'>) => {
    await using child = ServerProcess.launch(command)
    await child.exit()
    printed.push({ what, stdout: child.stdout, stderr: child.stderr })
  }

  const emulator = await EmulatorProcess.start(options)
  try {
    keys['the secondary key'] = await emulator.regenerateKey('secondary')
    await makeRoundTrip(emulator)
    await beRefused(emulator, keys['the secondary key'])
    const connectionStrings = {
      'its own emulator': '',
      'the given key': emulator.connectionString,
      'the secondary key': emulator.connectionStringWith(keys['the secondary key']),
      "a stranger's key": emulator.connectionStringWith(keys["a stranger's key"]),
      'a mistyped connection string': emulator.connectionString.replace('accesskey', 'acceskey'),
      'half a key': emulator.connectionString.slice(0, -20),
    }
    for (const sdk of ['administration', 'identity']) {
      for (const [what, connectionString] of Object.entries(connectionStrings)) {
        await run(`the quickstart with ${what} and the ${sdk} SDK`, {
          script: quickstartScript,
          env: childEnvironment({
            ACS_SDK: sdk,
            XDG_DATA_HOME: `${folder.path}/home`,
            NODE_EXTRA_CA_CERTS: emulator.caPath,
            COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
          }),
        })
      }
    }
    const echoes = await runAgainstEchoes({
      keyFolder: options.keyFolder,
      accessKey: given,
      runQuickstart: async (what, env) => {
        for (const sdk of ['administration', 'identity']) {
          await run(`the quickstart with ${what} and the ${sdk} SDK`, {
            script: quickstartScript,
            env: childEnvironment({ ACS_SDK: sdk, ...env }),
          })
        }
      },
    })
    printed.push(...echoes.printed)
    for (const [index, secret] of echoes.secrets.entries()) keys[`secret ${index} of a request or setting`] = secret
    await run('the quickstart under the emulator', {
      ...emulatorCommand(options),
      script: emulatorScript,
      args: ['exec', '--keys', options.keyFolder, '--', process.execPath, quickstartScript],
    })
    await run('npm start with the given key', {
      script: startScript,
      env: childEnvironment({
        XDG_DATA_HOME: `${folder.path}/home`,
        COMMUNICATION_SERVICES_CONNECTION_STRING: emulator.connectionString,
        NODE_EXTRA_CA_CERTS: emulator.caPath,
      }),
    })
    await run('an emulator over a folder in use', emulatorCommand(options))
    await run('an emulator with half a key', emulatorCommand({ ...options, accessKey: given.slice(0, -3) }))
    keys['the regenerated primary key'] = await emulator.regenerateKey('primary')
    await makeRoundTrip(emulator, keys['the regenerated primary key'])
  } finally {
    await emulator[Symbol.asyncDispose]()
  }
  const { stdout, stderr } = emulator.server
  printed.push({ what: 'the emulator', stdout, stderr })
  return judge(printed, commandLines.seen, keys, stderr)
}

function judge(
  printed: readonly Printed[],
  commandLines: ReadonlySet<string>,
  keys: Readonly<Record<string, string>>,
  stderr: string,
): SecretsReport {
  const leaks: string[] = []
  const tokens: string[] = []
  let transcripts = 0
  for (const { what, ...streams } of printed) {
    const transcript = separateIssuedTokens(streams.stdout)
    if (transcript.tokens.length === 2) transcripts++
    tokens.push(...transcript.tokens)
    const shown = [...findSecrets(transcript.rest, keys), ...findSecrets(streams.stderr, keys)]
    leaks.push(...shown.map((secret) => `${what} printed ${secret}`))
  }
  for (const line of commandLines) {
    const shown = findSecrets(line, keys).filter((secret) => secret !== 'a token')
    // Other programs of this machine may show tokens of theirs.
    if (tokens.some((token) => line.includes(token))) shown.push('a token')
    leaks.push(...shown.map((secret) => `a command line shows ${secret}`))
  }
  return { leaks, transcripts, refusals: stderr.split('\n').length - 1, tokens, commandLines }
}

/** Requests that the emulator has something to say about. */
async function beRefused({ client, host, accessKey }: EmulatorProcess, secondaryKey: string): Promise<void> {
  const target = { host, primaryKey: accessKey!, secondaryKey, ids: ['8:acs:_'] }
  const request = {
    method: 'POST',
    path: '/identities/{id}/:issueAccessToken',
    id: { kind: 'unknown', pick: 0 },
    isIdEncoded: true,
    query: '?api-version=2023-10-01',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{"scopes":["chat"]}'),
    isChunked: false,
  } as const
  for (const signature of [...invalidSignatures, 'primary', 'secondary'] as const) {
    await client.send(toWire({ ...request, signature }, target))
  }
  const creation = { ...request, path: '/identities', body: Buffer.from('{"createTokenWithScopes":["chat"]}') }
  const { text } = await client.send(toWire({ ...creation, signature: 'primary' }, target))
  const { token } = (JSON.parse(text) as { accessToken: { token: string } }).accessToken
  const headers = { host, authorization: `Bearer ${token}` }
  await client.send({ method: 'POST', path: '/identities?api-version=2023-10-01', headers })
  await client.send({ method: 'POST', path: '/_emulator/introspect', body: `{"token":"${token}` })
}
