import type { HttpResponse } from '@acs-kit/test-support/http-client'
import { expect, it } from 'vitest'
import { runChatCrashDrill } from '../src/chat/crash-drill.ts'
import { findChatFlaw } from '../src/chat/documented-responses.ts'
import { runChatFuzzDrill } from '../src/chat/fuzz-drill.ts'
import { runChatHostileDrill } from '../src/chat/hostile-drill.ts'
import { testSeed } from './test-seed.ts'

// Each drill throws on a violation. `pnpm drill` runs their long forms.

it('keeps the chat that the emulator acknowledged through kill -9', { timeout: 120_000 }, async () => {
  const { changes, messages, deletedMessages } = await runChatCrashDrill({ kills: 3, seed: testSeed })

  expect(changes).toBeGreaterThan(messages)
  expect(deletedMessages).toBeGreaterThan(0)
})

it('gets documented responses to generated chat requests and survives generated frames', async () => {
  const { responses, served, frames } = await runChatFuzzDrill({ requests: 1500, seed: testSeed })

  const reached = [
    ['200', '201', '202', '204', '400 BadRequest', '400 ApiVersionUnspecified', '401', '403 Forbidden', '404'],
    ['404 NotFound', '405 MethodNotAllowed', '413 RequestBodyTooLarge', '415 UnsupportedMediaType'],
  ].flat()
  expect([...responses.keys()]).toEqual(expect.arrayContaining(reached))
  // All routes, except for the handshake, which needs the parameters of a session.
  expect(served.size).toBe(20)
  expect(frames).toBeGreaterThan(500)
})

it('disconnects chat clients that do not read or respond', { timeout: 120_000 }, async () => {
  const drill = runChatHostileDrill({ clients: 10, edits: 1500, causesHeartbeats: true })

  expect(await drill).toMatchObject({ events: 1500 })
})

const common = { 'ms-cv': 'x', 'x-processing-time': '1ms', 'x-cache': 'CONFIG_NOCACHE', 'x-azure-ref': 'x', date: 'x' }
const sent: HttpResponse = {
  status: 201,
  headers: { ...common, 'content-type': 'application/json; charset=utf-8' },
  text: '{"id":"1764212400000"}',
}
const forbidden: HttpResponse = {
  status: 403,
  headers: { ...common, 'content-type': 'application/json' },
  text: JSON.stringify({ CommunicationError: { Code: 'Forbidden', Details: [] } }, null, 2).replaceAll('\n', '\r\n'),
}
const failure = JSON.stringify({ CommunicationError: { Code: 'InternalServerError', Details: [] } })

it('accepts documented responses of chat', () => {
  expect(findChatFlaw(sent, { isHead: false })).toBeUndefined()
  expect(findChatFlaw(forbidden, { isHead: false })).toBeUndefined()
  expect(findChatFlaw({ status: 401, headers: common, text: '' }, { isHead: false })).toBeUndefined()
  expect(findChatFlaw({ status: 431, headers: {}, text: '' }, { isHead: false })).toBeUndefined()
})

it.for<[string, HttpResponse]>([
  ['not documented', { ...forbidden, status: 500, text: failure }],
  ['not documented', { ...sent, status: 500, headers: common, text: '' }],
  ['not documented', { ...forbidden, text: '{"error":{"code":"Denied","message":"x"}}' }],
  ['form of the error', { ...forbidden, text: forbidden.text.replaceAll('\r', '') }],
  ['form of the error', { ...forbidden, text: forbidden.text.replace('[]', '[1]') }],
  ['content type', { ...forbidden, headers: { ...common, 'content-type': 'application/json; charset=utf-8' } }],
  ['ms-cv is missing', { ...sent, headers: {} }],
  ['form of the body', { ...sent, text: '{"id":"x"}' }],
])('finds a flaw of chat: %s', ([flaw, response]) => {
  expect(findChatFlaw(response, { isHead: false })).toContain(flaw)
})
