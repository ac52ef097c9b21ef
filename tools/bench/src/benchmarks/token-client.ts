import { gzipSync } from 'node:zlib'
import { tokenSource } from '@acs-kit/token-client'
import { build } from 'esbuild'
import { compareRounds, measureRounds } from '../interleaved.ts'
import { createMeasurement, type Measurement } from '../measurement.ts'

const rounds = 15
const calls = 200_000
const hourMs = 3600_000

/** A token from memory, which serves most of an app's requests. */
export async function benchmarkTokenFromMemory(): Promise<Measurement[]> {
  const token = {
    communicationUserId: '8:acs:resource_user',
    token: 'a-token',
    expiresOn: new Date(Date.now() + 24 * hourMs).toISOString(),
  }
  using source = tokenSource({
    url: 'https://tokens.example.com',
    getSignInToken: () => 'a-sign-in-token',
    fetch: async () => Response.json(token),
  })
  const scopes = ['voip', 'chat'] as const
  const map = new Map([['chat,voip', token]])
  const [lookUps, anyScope, twoScopes] = await measureRounds(rounds, [
    () => measureCallNs(async () => map.get('chat,voip')),
    () => measureCallNs(() => source.getToken()),
    () => measureCallNs(() => source.getToken({ scopes })),
  ])
  const reference = { name: 'an awaited look-up in a bare Map', values: lookUps! }
  return [
    compareRounds({
      name: 'a token from memory',
      values: anyScope!,
      unit: 'ns',
      reference,
      goal: { of: 'ratio', is: 'below', limit: 2 },
    }),
    compareRounds({ name: 'the same for named scopes', values: twoScopes!, unit: 'ns', reference }),
  ]
}

/** CPU time of an awaited call. */
async function measureCallNs(call: () => Promise<unknown>): Promise<number> {
  const start = process.threadCpuUsage()
  for (let count = 0; count < calls; count++) await call()
  const { user, system } = process.threadCpuUsage(start)
  return ((user + system) * 1000) / calls
}

/** Bytes that a page loads. */
export async function benchmarkBundleSize(): Promise<Measurement[]> {
  const reference = {
    name: "the credential of Azure's library alone",
    value: await bundleBytes(`export { AzureCommunicationTokenCredential } from '@azure/communication-common'`),
  }
  const client = `export * from '@acs-kit/token-client'`
  const credential = `${client}; export * from '@acs-kit/token-client/credential'`
  return [
    createMeasurement({
      name: 'the client, minified and gzipped',
      value: await bundleBytes(client),
      unit: 'B',
      reference,
    }),
    createMeasurement({
      name: 'the same with its credential, without the peer',
      value: await bundleBytes(credential, ['@azure/*']),
      unit: 'B',
      reference,
      goal: { of: 'value', is: 'below', limit: 4097 },
    }),
  ]
}

async function bundleBytes(contents: string, external: string[] = []): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external,
    write: false,
  })
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length
}
