import { expect, it } from 'vitest'
import { findEntraUser, getResourceId, toUserKey } from '../src/index.ts'

const tenantId = '9f4b7c9e-5d2a-4c4e-8d35-1f0f5a1f6b11'
const objectId = '0d8d1f3e-2b1c-4a57-9a3f-6a1c0f6c2d10'
const publicIssuer = `https://login.microsoftonline.com/${tenantId}/v2.0`
const emulated = `https://localhost:4443/${tenantId}/v2.0`
const pairwise = 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ'

it.each([
  ['finds the Entra ID user of a known host', publicIssuer, objectId, 'any key', true],
  [
    'finds the Entra ID user of an issuer of version 1.0',
    `https://sts.windows.net/${tenantId}/`,
    objectId,
    'any key',
    true,
  ],
  [
    'finds the Entra ID user of another host by the key',
    emulated,
    objectId,
    toUserKey('entra', tenantId, objectId),
    true,
  ],
  ['ignores an OIDC user of another host', emulated, objectId, toUserKey('oidc', emulated, objectId), false],
  ['ignores a pairwise subject', publicIssuer, pairwise, toUserKey('oidc', publicIssuer, pairwise), false],
  ['ignores an issuer without a tenant', 'https://login.microsoftonline.com/common/v2.0', objectId, 'any key', false],
  ['ignores an issuer that is not a URL', 'my-issuer', objectId, 'any key', false],
])('%s', (_name, issuer, subject, rowKey, isFound) => {
  expect(findEntraUser({ rowKey, issuer, subject })).toEqual(isFound ? { objectId, tenantId } : undefined)
})

it.each([
  ['8:acs:1B5D4E1C-7C3D-4C33-8F6A-0C9A3C1C8A11_0000000e', '1b5d4e1c-7c3d-4c33-8f6a-0c9a3c1c8a11'],
  ['8:orgid:user', ''],
])('extracts the resource of the identity %s', (id, resourceId) => {
  expect(getResourceId(id)).toBe(resourceId)
})
