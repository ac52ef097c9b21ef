import { gzipSync } from 'node:zlib'
import { customTokenSource } from '@acs-kit/token-client'
import { build } from 'esbuild'
import { Bench } from 'tinybench'
import { createMeasurement, type Measurement } from '../measurement.ts'

const measureMs = 2000
const hourMs = 3600_000

/** A token from memory, which serves most of an app's requests. */
export async function benchmarkTokenFromMemory(): Promise<Measurement[]> {
  using source = customTokenSource(async () => ({
    token: 'a-token',
    expiresOn: new Date(Date.now() + 24 * hourMs).toISOString(),
  }))
  await source.getToken()
  const scopes = ['voip', 'chat'] as const
  await source.getToken({ scopes })
  const map = new Map([['chat,voip ', { token: 'a-token' }]])
  const bench = new Bench({ time: measureMs, warmupTime: 500 })
  bench
    .add('map', async () => map.get('chat,voip '))
    .add('any scope', async () => source.getToken())
    .add('two scopes', async () => source.getToken({ scopes }))
  await bench.run()
  const medianNs = (name: string) => {
    const { result } = bench.getTask(name)!
    if (result.state !== 'completed') throw new Error(`${name} ended in the state ${result.state}`)
    return result.latency.p50 * 1e6
  }
  const reference = { name: 'an awaited look-up in a bare Map', value: medianNs('map') }
  return [
    createMeasurement({ name: 'a token from memory', value: medianNs('any scope'), unit: 'ns', reference }),
    createMeasurement({ name: 'the same for named scopes', value: medianNs('two scopes'), unit: 'ns', reference }),
  ]
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
      goal: { of: 'value', is: 'below', limit: 4097 },
    }),
    createMeasurement({
      name: 'the same with its credential, without the peer',
      value: await bundleBytes(credential, ['@azure/*']),
      unit: 'B',
      reference,
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
