import { expect, it } from 'vitest'
import { runFuzzDrill } from '../src/fuzz/fuzz-drill.ts'
import { findUnexpectedLine } from '../src/fuzz/health.ts'
import { testSeed } from './test-seed.ts'

it('gets documented responses to generated requests', async () => {
  const responses = await runFuzzDrill({ requests: 1500, seed: testSeed })

  // The requests reach every part of the emulator, except for quotas, which are off.
  const reached = [
    ['200', '201', '204', '400 AmbiguousApiVersion', '400 ApiVersionUnspecified', '400 UnsupportedApiVersion'],
    ['400 ValidationError', '401 Denied', '401 IdentityNotOwned', '404 IdentityNotFound', '404 NotFound'],
    ['401 InvalidAccessToken', '403 Forbidden'],
    ['405 MethodNotAllowed', '413 RequestBodyTooLarge', '415 UnsupportedMediaType', '422 UnprocessableEntity'],
  ].flat()
  expect([...responses.keys()]).toEqual(expect.arrayContaining(reached))
  expect(responses.get('exchanges')).toBeGreaterThan(0)
})

it.for([
  'communication-emulator: the emulator failed at POST /identities: Error: x',
  'TypeError: x is not a function',
  '(node:1) Warning: something',
])('finds a failure in the log: %s', (line) => {
  const rejected = 'communication-emulator: POST /identities 401 Denied {"code":"AuthorizationMissing"}\n'

  expect(findUnexpectedLine(rejected)).toBeUndefined()
  expect(findUnexpectedLine(`${rejected}${line}\n`)).toBe(line)
})
