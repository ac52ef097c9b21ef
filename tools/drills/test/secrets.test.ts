import { expect, test } from 'vitest'
import { findSecrets, separateIssuedTokens } from '../src/secrets/find-secrets.ts'
import { drillSecrets } from '../src/secrets/secrets-drill.ts'

test('no key and no token is printed, or passed on a command line', { timeout: 240_000 }, async () => {
  const { leaks, transcripts, refusals, tokens, commandLines } = await drillSecrets()

  expect(leaks).toEqual([])
  // Of both SDKs: the quickstart alone and with either key; and once each under the emulator's exec and in npm start.
  expect(transcripts).toBe(8)
  expect(new Set(tokens).size).toBe(16)
  expect(refusals).toBeGreaterThan(15)
  expect([...commandLines].join('\n')).toMatch(/bin\.mjs start.*\n[^]*quickstart\.ts|quickstart\.ts[^]*cli\.ts start/)
})

const key = Buffer.alloc(64, 0xfb).toString('base64')

test.for([
  ['as it is', `accesskey=${key};`],
  ['cut', `accesskey=${key.slice(0, 30)}...`],
  ['in an URL', encodeURIComponent(key)],
  ['in base64url', Buffer.from(key, 'base64').toString('base64url')],
  ['in hex', Buffer.from(key, 'base64').toString('hex')],
])('a key is found %s', ([, text]) => {
  expect(findSecrets(`before ${text} after`, { 'the key': key })).toEqual(['the key'])
  expect(findSecrets('before and after', { 'the key': key })).toEqual([])
})

test('a token is found, but for the two of the transcript', () => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJza3lwZWlkIjoieCJ9.AAAA'
  const line = `Issued a access token with 'voip' scope for identity with ID: 8:acs:x:\n${token}`

  expect(findSecrets(`note: ${token}`, {})).toEqual(['a token'])
  expect(separateIssuedTokens(line).tokens).toEqual([token])
  expect(findSecrets(separateIssuedTokens(line).rest, {})).toEqual([])
  expect(findSecrets(separateIssuedTokens(`${line}\n${token}`).rest, {})).toEqual(['a token'])
})
