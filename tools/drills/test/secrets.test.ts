import { expect, it } from 'vitest'
import { findSecrets, separateIssuedTokens } from '../src/secrets/find-secrets.ts'
import { runSecretsDrill } from '../src/secrets/secrets-drill.ts'

it('shows no key or token in output or on a command line', { timeout: 240_000 }, async () => {
  const { leaks, transcripts, rejections, tokens, commandLines } = await runSecretsDrill()

  expect(leaks).toEqual([])
  // For each SDK, the quickstart with its own emulator and with either key; then one run in `exec` and one in npm start.
  expect(transcripts).toBe(8)
  expect(new Set(tokens).size).toBe(16)
  expect(rejections).toBeGreaterThan(15)
  expect([...commandLines].join('\n')).toMatch(/bin\.mjs start.*\n[^]*quickstart\.ts|quickstart\.ts[^]*bin\.mjs start/)
})

const key = Buffer.alloc(64, 0xfb).toString('base64')

it.for([
  ['unchanged', `accesskey=${key};`],
  ['shortened', `accesskey=${key.slice(0, 30)}...`],
  ['in a URL', encodeURIComponent(key)],
  ['in base64url', Buffer.from(key, 'base64').toString('base64url')],
  ['in hex', Buffer.from(key, 'base64').toString('hex')],
])('finds a key: %s', ([, text]) => {
  expect(findSecrets(`before ${text} after`, { 'the key': key })).toEqual(['the key'])
  expect(findSecrets('before and after', { 'the key': key })).toEqual([])
})

it('finds a token, except for the two in the transcript', () => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJza3lwZWlkIjoieCJ9.AAAA'
  const line = `Issued a access token with 'voip' scope for identity with ID: 8:acs:x:\n${token}`

  expect(findSecrets(`note: ${token}`, {})).toEqual(['a token'])
  expect(separateIssuedTokens(line).tokens).toEqual([token])
  expect(findSecrets(separateIssuedTokens(line).rest, {})).toEqual([])
  expect(findSecrets(separateIssuedTokens(`${line}\n${token}`).rest, {})).toEqual(['a token'])
})
