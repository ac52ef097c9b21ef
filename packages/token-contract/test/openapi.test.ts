import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { openApiFile, renderOpenApi } from '../openapi.ts'
import { problemCatalogue, routes } from '../src/index.ts'

test('the committed OpenAPI document is the one that the routes give: else run `pnpm openapi` here', async () => {
  expect(await readFile(openApiFile, 'utf8')).toBe(await renderOpenApi())
})

test('every code of the catalogue belongs to a route, or to what happens before a route is found', () => {
  const beforeRouting = ['route-unknown', 'method-not-allowed', 'request-timeout', 'headers-too-large']
  const text = JSON.stringify(routes)
  const unused = Object.keys(problemCatalogue).filter((code) => !text.includes(`\`${code}\``))
  expect(new Set(unused)).toEqual(new Set(beforeRouting))
})
