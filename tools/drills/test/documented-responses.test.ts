import type { HttpResponse } from '@acs-kit/test-support/http-client'
import { expect, it } from 'vitest'
import { findAdministrationFlaw, findIdentityFlaw } from '../src/fuzz/documented-responses.ts'

const common = {
  'ms-cv': 'x',
  'request-context': 'appId=',
  'x-processing-time': '1ms',
  'x-cache': 'CONFIG_NOCACHE',
  'x-azure-ref': 'x',
  date: 'x',
}
const versions = { 'api-supported-versions': '2023-10-01' }
const id = '8:acs:11111111-1111-1111-1111-111111111111_00000001-1111-1111-1111-111111111111'
const created: HttpResponse = {
  status: 201,
  headers: { ...common, ...versions, 'content-type': 'application/json; charset=utf-8' },
  text: JSON.stringify({ identity: { id } }),
}
const withCustomId = (lastTokenIssuedAt: string): HttpResponse => ({
  ...created,
  text: JSON.stringify({ identity: { customId: 'alice', lastTokenIssuedAt, id } }),
})
const denied: HttpResponse = {
  status: 401,
  headers: { ...common, 'content-type': 'application/json' },
  text: '{"error":{"code":"Denied","message":"x"}}',
}

it('accepts documented responses', () => {
  expect(findIdentityFlaw(created, { isHead: false })).toBeUndefined()
  expect(findIdentityFlaw(withCustomId('2025-04-14T15:32:27+00:00'), { isHead: false })).toBeUndefined()
  expect(findIdentityFlaw(denied, { isHead: false })).toBeUndefined()
  expect(findIdentityFlaw({ ...denied, text: '' }, { isHead: true })).toBeUndefined()
  expect(findIdentityFlaw({ status: 431, headers: {}, text: '' }, { isHead: false })).toBeUndefined()
})

it.for<[string, HttpResponse]>([
  ['not documented', { ...denied, status: 500, text: '{"error":{"code":"InternalServerError","message":"x"}}' }],
  ['not documented', { ...denied, status: 403, text: '{"error":{"code":"Denied","message":"x"}}' }],
  ['not documented', { ...denied, text: 'Denied' }],
  ['api-supported-versions is unexpected', { ...denied, headers: { ...denied.headers, ...versions } }],
  ['api-supported-versions is missing', { ...created, headers: { ...common } }],
  ['ms-cv is missing', { ...created, headers: {} }],
  ['content type', { ...created, headers: { ...created.headers, 'content-type': 'application/json' } }],
  ['form of the body is not documented', { ...created, text: JSON.stringify({ identity: { id }, accessToken: null }) }],
  ['form of the body is not documented', { ...created, text: JSON.stringify({ identity: { id: '8:acs:x' } }) }],
  ['form of the body is not documented', withCustomId('2025-04-14T15:32:27.2078535+00:00')],
  ['unknown member stack', { ...denied, text: '{"error":{"code":"Denied","message":"x","stack":"y"}}' }],
  ['incomplete', { ...denied, text: '{"error":{"code":"Denied"}}' }],
  ['204 has a body', { ...created, status: 204 }],
])('finds a flaw: %s', ([flaw, response]) => {
  expect(findIdentityFlaw(response, { isHead: false })).toContain(flaw)
})

it('reports a failure of the administration API', () => {
  const failure = { ...denied, status: 500, text: '{"error":{"code":"InternalServerError","message":"x"}}' }

  expect(findAdministrationFlaw(failure, { isHead: false })).toContain('not documented')
})
