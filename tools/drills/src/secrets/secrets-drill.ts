import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { emulatorCommand, EmulatorProcess, emulatorScript } from '@acs-kit/local-stack/emulator-process'
import { childEnvironment } from '@acs-kit/test-support/child-environment'
import { ServerProcess, type ServerCommand } from '@acs-kit/test-support/server-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { makeRoundTrip } from '../fuzz/health.ts'
import { invalidSignatures, validSignatures, type Sign } from '../fuzz/signatures.ts'
import { CommandLines } from './command-lines.ts'
import { runAgainstEchoes, type Outputs } from './echo-runs.ts'
import { findSecrets, separateIssuedTokens } from './find-secrets.ts'

const quickstartScript = fileURLToPath(import.meta.resolve('@acs-kit/quickstart'))
const startScript = fileURLToPath(import.meta.resolve('@acs-kit/local-stack/start'))

/**
 * Runs the emulator, the quickstart, the service and `npm start` with new keys, through successes and rejections, and searches
 * all output and command lines for these keys and for tokens.
 */
export async function runSecretsDrill() {
  using folder = new TemporaryFolder()
  using commandLines = new CommandLines()
  const outputs: Outputs = new Map()
  const secrets = await runPrograms(folder, outputs)
  const rejections = outputs.get('the emulator')!.stderr.split('\n').length - 1
  return { ...searchOutputs(outputs, commandLines.seen, secrets), rejections }
}

/** Collects the output of the programs. Returns the secrets that they used, by name. */
async function runPrograms(folder: TemporaryFolder, outputs: Outputs): Promise<Record<string, string>> {
  const given = createKey()
  const foreign = createKey()
  const options = { keyFolder: folder.join('keys'), dataFolder: folder.join('data'), accessKey: given }
  const run = async (program: string, command: Omit<ServerCommand, 'ready'>) => {
    await using child = ServerProcess.launch(command)
    outputs.set(program, child)
    await child.exit()
  }
  const runQuickstart = async (situation: string, env: NodeJS.ProcessEnv) => {
    for (const sdk of ['administration', 'identity']) {
      await run(`the quickstart with ${situation} and the ${sdk} SDK`, {
        script: quickstartScript,
        env: childEnvironment({ ACS_SDK: sdk, XDG_DATA_HOME: folder.join('home'), ...env }),
      })
    }
  }

  await using emulator = await EmulatorProcess.start(options)
  outputs.set('the emulator', emulator.server)
  const secondary = await emulator.regenerateKey('secondary')
  await makeRoundTrip(emulator)
  await sendRejectedRequests(emulator, secondary)
  const connectionStrings = {
    'its own emulator': '',
    'the given key': emulator.connectionString,
    'the secondary key': emulator.connectionStringWith(secondary),
    "another resource's key": emulator.connectionStringWith(foreign),
    'a misspelled connection string': emulator.connectionString.replace('accesskey', 'acceskey'),
    'half a key': emulator.connectionString.slice(0, -20),
  }
  const runQuickstarts = async () => {
    for (const [situation, connectionString] of Object.entries(connectionStrings)) {
      await runQuickstart(situation, {
        NODE_EXTRA_CA_CERTS: emulator.caPath,
        COMMUNICATION_SERVICES_CONNECTION_STRING: connectionString,
      })
    }
  }
  const [echoed] = await Promise.all([
    runAgainstEchoes(options.keyFolder, given, outputs, runQuickstart),
    runQuickstarts(),
    run('the quickstart in the emulator', {
      ...emulatorCommand(options),
      script: emulatorScript,
      args: ['exec', '--keys', options.keyFolder, '--', process.execPath, quickstartScript],
    }),
    run('npm start with the given key', {
      script: startScript,
      env: childEnvironment({
        XDG_DATA_HOME: folder.join('home-of-start'),
        COMMUNICATION_SERVICES_CONNECTION_STRING: emulator.connectionString,
        NODE_EXTRA_CA_CERTS: emulator.caPath,
      }),
    }),
  ])
  await run('an emulator with a data folder in use', emulatorCommand(options))
  await run('an emulator with half a key', emulatorCommand({ ...options, accessKey: given.slice(0, -3) }))
  const regenerated = await emulator.regenerateKey('primary')
  await makeRoundTrip(emulator, regenerated)
  return {
    'the given key': given,
    "another resource's key": foreign,
    'the secondary key': secondary,
    'the regenerated primary key': regenerated,
    ...Object.fromEntries(echoed.map((secret, index) => [`secret ${index} of a request or setting`, secret])),
  }
}

function searchOutputs(outputs: Outputs, commandLines: ReadonlySet<string>, secrets: Readonly<Record<string, string>>) {
  const leaks: string[] = []
  const tokens: string[] = []
  /** Successful runs of the quickstart, each with two tokens. */
  let transcripts = 0
  for (const [program, { stdout, stderr }] of outputs) {
    const transcript = separateIssuedTokens(stdout)
    if (transcript.tokens.length === 2) transcripts++
    tokens.push(...transcript.tokens)
    const shown = [...findSecrets(transcript.rest, secrets), ...findSecrets(stderr, secrets)]
    leaks.push(...shown.map((secret) => `${program} printed ${secret}`))
  }
  for (const line of commandLines) {
    // Programs unrelated to this drill may show tokens of their own.
    const shown = findSecrets(line, secrets).filter((secret) => secret !== 'a token')
    if (tokens.some((token) => line.includes(token))) shown.push('a token')
    leaks.push(...shown.map((secret) => `a command line shows ${secret}`))
  }
  return { leaks, transcripts, tokens, commandLines }
}

/** Sends requests that the emulator logs, most of which it rejects. */
async function sendRejectedRequests({ client, host, accessKey }: EmulatorProcess, secondary: string): Promise<void> {
  const keys = { primary: accessKey!, secondary }
  const version = '?api-version=2023-10-01'
  const unknownId = encodeURIComponent('8:acs:_00000000-0000-0000-0000-000000000000')
  const send = (sign: Sign, path: string, body: string) => {
    const request = { method: 'POST', path: `${path}${version}`, host, body }
    return client.send({ ...request, headers: { 'content-type': 'application/json', ...sign(request, keys) } })
  }
  for (const sign of Object.values({ ...validSignatures, ...invalidSignatures })) {
    await send(sign, `/identities/${unknownId}/:issueAccessToken`, '{"scopes":["chat"]}')
  }
  const { text } = await send(validSignatures['primary']!, '/identities', '{"createTokenWithScopes":["chat"]}')
  const { token } = (JSON.parse(text) as { accessToken: { token: string } }).accessToken
  await send(() => ({ host, authorization: `Bearer ${token}` }), '/identities', '')
  await client.send({ method: 'POST', path: '/_emulator/introspect', body: `{"token":"${token}` })
}

function createKey(): string {
  return randomBytes(64).toString('base64')
}
