import { expect, it } from 'vitest'
import { getInputs, getMembers, toInputType } from '../src/stand-in-provider/input-types.ts'
import { getParameters } from '../src/stand-in-provider/resource-mapping.ts'
import { resourceTable } from '../src/stand-in-provider/resource-table.ts'

it.each([
  ['pulumi.Input<string | undefined>', { type: 'string' }],
  ['pulumi.Input<string | enums.web.FtpsState | undefined>', { type: 'string' }],
  ['pulumi.Input<enums.web.ClientCertMode | undefined>', { type: 'string' }],
  ['pulumi.Input<"Tenant">', { type: 'string' }],
  ['pulumi.Input<number>', { type: 'number' }],
  ['pulumi.Input<boolean | undefined>', { type: 'boolean' }],
  ['pulumi.Input<inputs.web.SiteConfigArgs | undefined>', { type: 'object', reference: 'web.SiteConfigArgs' }],
  ['pulumi.Input<{\n [key: string]: pulumi.Input<string>;\n } | undefined>', { type: 'object' }],
  ['pulumi.Input<pulumi.Input<string | enums.web.X>[] | undefined>', { type: 'array', items: { type: 'string' } }],
  [
    'pulumi.Input<pulumi.Input<inputs.web.NameValuePairArgs>[] | undefined>',
    { type: 'array', items: { type: 'object', reference: 'web.NameValuePairArgs' } },
  ],
  ['pulumi.Input<any[] | undefined>', { type: 'array', items: { type: '' } }],
  ['any | undefined', { type: '' }],
  ['pulumi.Input<inputs.web.AArgs | inputs.web.BArgs>', { type: '' }],
  ['pulumi.Input<pulumi.asset.Asset | pulumi.asset.Archive | undefined>', { type: '' }],
])('reads the declared type %s', (declared, expected) => {
  expect(toInputType(declared)).toEqual(expected)
})

it.each(Object.entries(resourceTable))('finds the inputs of %s in the installed SDK', (type, { path, top = [] }) => {
  const inputs = getInputs(type)
  const names = [...getParameters(path).filter((name) => name !== 'subscriptionId'), ...top]
  expect(Object.keys(inputs)).toEqual(expect.arrayContaining(names))
})

it('reads nested types, the last one of a module, and which members are required', () => {
  const { sku } = getInputs('azure-native:storage:StorageAccount')
  expect(sku).toEqual({ type: { type: 'object', reference: 'storage.SkuArgs' }, isRequired: true })
  expect(getMembers('storage.SkuArgs')).toEqual({ name: { type: { type: 'string' }, isRequired: true } })
  expect(Object.keys(getMembers('communication.ManagedServiceIdentityArgs'))).toEqual([
    'type',
    'userAssignedIdentities',
  ])
})
