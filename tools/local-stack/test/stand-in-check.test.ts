import provider from '@pulumi/pulumi/proto/provider_pb.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startProvider, type Inputs, type ProviderClient } from './provider-client.ts'

const account = 'azure-native:storage:StorageAccount'
const table = 'azure-native:storage:Table'
const assignment = 'azure-native:authorization:RoleAssignment'
/** The engine's placeholder. */
const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9'
const valid: Inputs = {
  accountName: 'given',
  resourceGroupName: 'group',
  location: 'westeurope',
  kind: 'StorageV2',
  sku: { name: 'Standard_LRS' },
}
const open = new AsyncDisposableStack()
let client: ProviderClient

beforeAll(async () => {
  client = open.use(await startProvider()).client
})
afterAll(() => open.disposeAsync())

describe('the validation of inputs', () => {
  it("reports everything at once, without a property, in azure-native's words", async () => {
    const { failures } = await client.check(account, {
      accountName: 5,
      kind: ['StorageV2'],
      location: 'westeurope',
      sku: {},
      allowBlobPublicAccess: 'no',
      networkRuleSet: {
        virtualNetworkRules: [{ virtualNetworkResourceId: '/id' }, {}],
        ipRules: '10.0.0.0',
      },
    })
    const reasons = [
      "missing required property 'resourceGroupName'",
      "missing required property 'sku.name'",
      "missing required property 'networkRuleSet.defaultAction'",
      "missing required property 'networkRuleSet.virtualNetworkRules[1].virtualNetworkResourceId'",
      "'accountName' should be of type 'string' but got a number",
      "'kind' should be of type 'string' but got an array",
      "'allowBlobPublicAccess' should be of type 'boolean' but got a string",
      "'networkRuleSet.ipRules' should be of type 'array' but got a string",
    ]
    expect(new Set(failures)).toEqual(new Set(reasons.map((reason) => ['', reason])))
    expect(failures).toHaveLength(reasons.length)
  })

  it('explains how to set a missing location', async () => {
    const { location: _, ...rest } = valid
    expect((await client.check(account, rest)).failures).toEqual([
      [
        '',
        "missing required property 'location'. Either set it explicitly or configure it with 'pulumi config set azure-native:location <value>'.",
      ],
    ])
  })

  it.each<[string, Inputs]>([
    ['values that are unknown before an up', { accountName: unknown, sku: { name: unknown }, networkRuleSet: unknown }],
    ['booleans and objects of any declared type', { kind: true, accountName: {}, allowBlobPublicAccess: {} }],
    ['inputs that are not declared', { colour: 5 }],
    ['maps with any values', { tags: { team: 5 } }],
  ])('accepts %s, like azure-native', async (_name, inputs) => {
    expect((await client.check(account, { ...valid, ...inputs })).failures).toEqual([])
  })

  it('adds the api-version as an input', async () => {
    expect((await client.check(account, valid)).inputs).toEqual({ ...valid, azureApiVersion: '2024-01-01' })
  })
})

describe('the mark of a generated name', () => {
  const { accountName: _, ...unnamed } = valid
  const generated = { accountName: 'namee3b0c442', __createBeforeDelete: true }

  it.each<[string, Inputs, Inputs, Inputs]>([
    [
      'set with the name',
      unnamed,
      {},
      { accountName: expect.stringMatching(/^name[\da-f]{8}$/), __createBeforeDelete: true },
    ],
    ['kept with the name', unnamed, generated, generated],
    ['missing as long as the name was given', unnamed, { accountName: 'given' }, { accountName: 'given' }],
    ['dropped when a name is given', valid, generated, { accountName: 'given' }],
  ])('is %s', async (_name, news, olds, expected) => {
    const { accountName, __createBeforeDelete } = (await client.check(account, news, olds)).inputs
    expect({ accountName, ...(__createBeforeDelete !== undefined && { __createBeforeDelete }) }).toEqual(expected)
  })

  it('decides whether a replacement is created before the old resource is deleted', async () => {
    const diffFor = (mark: Inputs) =>
      client.diff(account, { oldInputs: { ...valid, ...mark }, news: { ...valid, location: 'northeurope' } })
    expect((await diffFor({})).getDeletebeforereplace()).toBe(true)
    expect((await diffFor({ __createBeforeDelete: true })).getDeletebeforereplace()).toBe(false)
  })

  it.each([
    [account, 'DISABLE', { failures: [['', "missing required property 'accountName'"]] }],
    [account, 'PROPOSE', { inputs: { accountName: 'proposed', __createBeforeDelete: true } }],
    [account, 'ENFORCE', { inputs: { accountName: 'proposed', __createBeforeDelete: true } }],
    [table, 'PROPOSE', { inputs: { tableName: 'proposed', __createBeforeDelete: true } }],
    [assignment, 'PROPOSE', { inputs: { roleAssignmentName: expect.stringMatching(/^[-\da-f]{36}$/) } }],
    [assignment, 'ENFORCE', { inputs: { roleAssignmentName: 'proposed', __createBeforeDelete: true } }],
  ] as const)("names %s as the engine's autonaming asks: %s", async (type, mode, expected) => {
    const { AutonamingOptions } = provider.CheckRequest
    const options = new AutonamingOptions().setMode(AutonamingOptions.Mode[mode]).setProposedName('proposed')
    const news: Inputs =
      type === account
        ? unnamed
        : { ...unnamed, accountName: 'given', scope: '/s', principalId: 'p', roleDefinitionId: '/r' }
    expect(await client.check(type, news, {}, options)).toMatchObject(expected)
  })
})

describe('a diff', () => {
  const changed = async (oldInputs: Inputs, news: Inputs, outputs: Inputs = {}) => {
    const response = await client.diff(account, { oldInputs, news, outputs })
    return { diffs: response.getDiffsList(), replaces: response.getReplacesList() }
  }
  const nothing = { diffs: [], replaces: [] }

  it('ignores other spellings of a group and a location, and the api-version of an imported resource', async () => {
    const { resourceGroupName: _, location: __, ...rest } = valid
    const news = { ...rest, resourceGroupName: 'GROUP', location: 'West Europe', azureApiVersion: '2024-01-01' }
    expect(await changed(valid, news, { azureApiVersion: '2024-01-01' })).toEqual(nothing)
    expect(await changed(valid, news, { azureApiVersion: '2023-01-01' })).toEqual({
      ...nothing,
      diffs: ['azureApiVersion'],
    })
  })

  it('does not replace a resource for an added input that it already has', async () => {
    const { location: _, ...rest } = valid
    const added = { diffs: ['location'], replaces: ['location'] }
    expect(await changed(rest, valid, { location: 'northeurope' })).toEqual(added)
    expect(await changed(rest, valid, { location: 'westeurope' })).toEqual({ ...added, replaces: [] })
  })
})
