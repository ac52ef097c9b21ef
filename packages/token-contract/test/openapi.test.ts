import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { openApiFile, renderOpenApi } from '../openapi.ts'
import { problemCatalogue, routes } from '../src/index.ts'

it('commits the OpenAPI document that the routes render (otherwise run `npm run openapi` here)', async () => {
  expect(await readFile(openApiFile, 'utf8')).toBe(await renderOpenApi())
})

it('assigns every problem code to a route or to a failure before routing', () => {
  const beforeRouting = ['route-unknown', 'method-not-allowed', 'request-timeout', 'headers-too-large']
  const text = JSON.stringify(routes)
  const unused = Object.keys(problemCatalogue).filter((code) => !text.includes(`\`${code}\``))
  expect(new Set(unused)).toEqual(new Set(beforeRouting))
})
