import type { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import * as fc from 'fast-check'
import { findAdministrationFlaw } from './documented-responses.ts'
import { fuzz, type FuzzOptions } from './fuzz.ts'

const nouns =
  'health resources identities tokens introspect clock faults quotas requests token operations managedResources page'.split(
    ' ',
  )
const number = fc.oneof(fc.constantFrom(0, 1, -1, 0.5, 1e21, 2 ** 53), fc.double(), fc.integer())
const scalar = fc.oneof(number, fc.string(), fc.boolean(), fc.constant(null))
const names =
  'keyType token time milliseconds documented operation latencyMs status retryAfterSeconds ' +
  'reset phase count rate seed createIdentity issueAccessToken'
const times = fc.constantFrom('2026-11-23', '1969-12-31', '9998-12-31T23:59:59Z', '+275760-09-13', '0000-01-01', 'x')
const value = fc.oneof(scalar, times, fc.constantFrom('primary', 'before'))
const members = fc.dictionary(fc.constantFrom(...names.split(' ')), value, { maxKeys: 4 })
const word = fc.oneof(
  fc.constantFrom('default', 'advance', 'regenerateKey', '1', '-1', '1e400', '%', '', '__proto__'),
  fc.string().map((text) => encodeURIComponent(text)),
)
const query = fc.oneof(
  fc.constantFrom(
    '',
    '?newest=2',
    '?newest=-1',
    '?limit=0',
    '?limit=-1',
    '?limit=1.5',
    '?limit=1e300',
    '?limit=NaN',
    '?limit=',
    '?reveal=true',
  ),
  fc.constantFrom('?after=x', '?after=8:acs:00000000-0000-0000-0000-000000000000_ffffffff-0000-0000-0000-000000000000'),
  fc.string().map((text) => `?communicationUserId=${encodeURIComponent(text)}`),
)
const origins = fc.constantFrom('http://localhost:3000', 'https://elsewhere.example', 'null', 'http://[::1]', 'é')

const generatedRequest = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'),
  path: fc
    .tuple(fc.constantFrom(...nouns), fc.array(word, { maxLength: 3 }), query)
    .map(([noun, words, query]) => `/_emulator/${[noun, ...words].join('/')}${query}`),
  headers: fc.oneof(
    fc.constant<Record<string, string>>({}),
    origins.map((origin): Record<string, string> => ({ origin })),
    fc
      .constantFrom('cross-site', 'same-origin', 'none', 'x')
      .map((site): Record<string, string> => ({ 'sec-fetch-site': site, authorization: 'Bearer x' })),
    fc.constantFrom('elsewhere.example', '[::1]:1', '127.0.0.1', '').map((host): Record<string, string> => ({ host })),
  ),
  body: fc.oneof(
    members.map((value) => JSON.stringify(value)),
    fc.json(),
    fc.string(),
    fc.constant(''),
  ),
})

/** Fuzzes the emulator's administration API, then resets what the requests changed, except for the access keys. */
export async function fuzzAdministration(emulator: EmulatorProcess, options: FuzzOptions): Promise<void> {
  await fuzz(
    generatedRequest,
    options,
    emulator.client,
    (request) => request,
    (response, { method }) => findAdministrationFlaw(response, { isHead: method === 'HEAD' }),
  )
  await emulator.administer('PUT', 'quotas')
  await emulator.administer('POST', 'reset')
}
