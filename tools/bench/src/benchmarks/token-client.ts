import { gzipSync } from 'node:zlib'
import { customTokenSource } from '@acs-kit/token-client'
import { build } from 'esbuild'
import { Bench } from 'tinybench'
import { createFigure, type Figure } from '../figure.ts'

const measureMs = 2000
const hourMs = 3600_000

/** A token from memory, which most of an app's requests ask for. */
export async function benchmarkTokenFromMemory(): Promise<Figure[]> {
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
  const nanosecondsOf = (name: string) => {
    const { result } = bench.getTask(name)!
    if (result.state !== 'completed') throw new Error(`${name} ended as ${result.state}`)
    return result.latency.p50 * 1e6
  }
  const reference = { name: 'a bare Map look-up, awaited too', value: nanosecondsOf('map') }
  return [
    createFigure({ name: 'a token from memory', value: nanosecondsOf('any scope'), unit: 'ns', reference }),
    createFigure({ name: 'the same for named scopes', value: nanosecondsOf('two scopes'), unit: 'ns', reference }),
  ]
}

/** What a page has to load. */
export async function benchmarkBundleSize(): Promise<Figure[]> {
  const reference = {
    name: 'the credential of Azure’s library alone',
    value: await sizeOf(`export { AzureCommunicationTokenCredential } from '@azure/communication-common'`),
  }
  const client = `export * from '@acs-kit/token-client'`
  const credential = `${client}; export * from '@acs-kit/token-client/credential'`
  return [
    createFigure(
      { name: 'the client, minified and gzipped', value: await sizeOf(client), unit: 'B', reference },
      { of: 'value', is: 'below', limit: 4097 },
    ),
    createFigure({
      name: 'the same with its credential, without the peer',
      value: await sizeOf(credential, ['@azure/*']),
      unit: 'B',
      reference,
    }),
  ]
}

async function sizeOf(contents: string, external: string[] = []): Promise<number> {
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
