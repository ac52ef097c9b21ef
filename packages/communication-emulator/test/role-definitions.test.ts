import { beforeEach, describe, expect, it } from 'vitest'
import { sendToArm, subscription, type ArmRequestOptions } from './arm-fixture.ts'
import { useEmulator } from './emulator-fixture.ts'

const fixture = useEmulator()
const send = (method: string, path: string, options?: ArmRequestOptions) =>
  sendToArm(fixture.emulator, method, `${path}?api-version=2022-04-01`, options)
const subscriptionId = `/subscriptions/${subscription}`
const group = `${subscriptionId}/resourceGroups/group`
const name = '22222222-3333-4444-8555-666666666666'
const definition = `${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${name}`
const assignment = (scope: string) => `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`
const actions = ['Microsoft.Communication/CommunicationServices/Read']
const define = (path = definition, properties: object = {}) =>
  send('PUT', path, {
    body: { properties: { roleName: 'issuer', assignableScopes: [group], permissions: [{ actions }], ...properties } },
  })
const assign = (scope: string) =>
  send('PUT', assignment(scope), { body: { properties: { roleDefinitionId: definition, principalId: name } } })
const toResult = ({ status, json }: Awaited<ReturnType<typeof send>>) => [status, json?.error?.code]

beforeEach(async () => {
  for (const id of [group, `${subscriptionId}/resourceGroups/other`]) {
    await send('PUT', id, { body: { location: 'westeurope' } })
  }
})

describe('a role definition', () => {
  it('belongs to the subscription, and is returned with all lists of permissions', async () => {
    expect((await define()).status).toBe(201)
    const { json } = await send('GET', definition)
    const permission = { actions, notActions: [], dataActions: [], notDataActions: [] }
    expect(json).toMatchObject({ id: definition, name, properties: { type: 'CustomRole', permissions: [permission] } })
    await send('DELETE', group)
    expect((await send('GET', definition)).status).toBe(200)
    expect((await send('DELETE', definition)).status).toBe(200)
    expect(toResult(await send('GET', definition))).toEqual([404, 'RoleDefinitionDoesNotExist'])
  })

  it('has a name that is unique in the directory', async () => {
    await define()
    const other = definition.replace(name, subscription).replace(subscriptionId, subscriptionId.replaceAll('1', '2'))
    expect(toResult(await define(other, { roleName: 'Issuer' }))).toEqual([409, 'RoleDefinitionWithSameNameExists'])
    expect(toResult(await define(other, { roleName: 'other' }))).toEqual([201, undefined])
    expect(toResult(await define())).toEqual([200, undefined])
  })

  it.each([{ roleName: undefined }, { permissions: [] }, { assignableScopes: [] }])(
    'is rejected with %j',
    async (properties) => {
      expect(toResult(await define(definition, properties))).toEqual([400, 'InvalidRequestContent'])
    },
  )

  it('is assigned only within its assignable scopes', async () => {
    await define()
    expect(toResult(await assign(group))).toEqual([201, undefined])
    const code = 'RoleAssignmentScopeNotAssignableToRoleDefinition'
    expect(toResult(await assign(`${subscriptionId}/resourceGroups/other`))).toEqual([400, code])
  })

  it('is assigned once to a principal in a scope, whatever the name of the assignment', async () => {
    await define()
    const other = assignment(group).replace(name, subscription)
    const assignOther = (principalId: string) =>
      send('PUT', other, { body: { properties: { roleDefinitionId: definition.toUpperCase(), principalId } } })
    expect([(await assign(group)).status, (await assign(group)).status]).toEqual([201, 200])
    expect(toResult(await assignOther(name))).toEqual([409, 'RoleAssignmentExists'])
    expect(toResult(await assignOther(subscription))).toEqual([201, undefined])
  })

  it('is not deleted before its assignments', async () => {
    await define()
    await assign(group)
    expect(toResult(await send('DELETE', definition))).toEqual([400, 'RoleDefinitionHasAssignments'])
    await send('DELETE', assignment(group))
    expect((await send('DELETE', definition)).status).toBe(200)
  })
})
