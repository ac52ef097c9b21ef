import { expect, test } from 'vitest'
import { drillFuzz } from '../src/fuzz/fuzz-drill.ts'
import { findStrangeLine } from '../src/fuzz/soundness.ts'
import { testSeed } from './test-seed.ts'

test('generated requests get documented answers only', async () => {
  const answers = await drillFuzz({ requests: 1500, seed: testSeed })

  // They reached every part of the emulator; only quotas are off.
  const reached = [
    ['200', '201', '204', '400 AmbiguousApiVersion', '400 ApiVersionUnspecified', '400 UnsupportedApiVersion'],
    ['400 ValidationError', '401 Denied', '401 IdentityNotOwned', '404 IdentityNotFound', '404 NotFound'],
    ['405 MethodNotAllowed', '413 RequestBodyTooLarge', '415 UnsupportedMediaType', '422 UnprocessableEntity'],
  ].flat()
  expect([...answers.keys()]).toEqual(expect.arrayContaining(reached))
})

test.for([
  'communication-emulator: the emulator failed at POST /identities: Error: x',
  'TypeError: x is not a function',
  '(node:1) Warning: something',
])('a failure in the log is noticed: %s', (line) => {
  const refusal = 'communication-emulator: POST /identities 401 Denied {"code":"AuthorizationMissing"}\n'

  expect(findStrangeLine(refusal)).toBeUndefined()
  expect(findStrangeLine(`${refusal}${line}\n`)).toBe(line)
})
