import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import * as conformance from '../src/conformance.ts'
import * as credential from '../src/credential.ts'
import * as surface from '../src/index.ts'

it('exports exactly the public API', () => {
  expect([surface, credential, conformance].map((module) => Object.keys(module).toSorted())).toEqual([
    ['TokenError', 'customTokenSource', 'literalTokenSource', 'tokenSource'],
    ['tokenCredential'],
    ['conformanceCases'],
  ])
})

it('has at most 4 kB with its credential, minified and gzipped', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: "export * from './index.ts'\nexport * from './credential.ts'",
      resolveDir: join(import.meta.dirname, '../src'),
    },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['@azure/*'],
    write: false,
  })
  expect(gzipSync(outputFiles[0]!.contents, { level: 9 }).length).toBeLessThanOrEqual(4096)
})
