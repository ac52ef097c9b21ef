import { beforeEach, expect, it } from 'vitest'
import { clientsFor, sendToArm, subscription } from './arm-fixture.ts'
import { useEmulator } from './emulator-fixture.ts'

const fixture = useEmulator()

let clients: ReturnType<typeof clientsFor>

const location = 'westeurope'
const group = `/subscriptions/${subscription}/resourceGroups/group`
const site = `${group}/providers/Microsoft.Web/sites/site`
const send = (method: string, path: string, body?: object) =>
  sendToArm(fixture.emulator, method, `${path}?api-version=2025-05-01`, { body })

beforeEach(async () => {
  clients = clientsFor(fixture.emulator)
  await clients.groups.resourceGroups.createOrUpdate('group', { location })
  await send('PUT', site, { location, properties: { siteConfig: { alwaysOn: true } } })
})

it('allows the passwords of a site until they are disabled, each by itself', async () => {
  const { webApps } = clients.web
  expect(await webApps.getScmAllowed('group', 'site')).toMatchObject({ name: 'scm', allow: true })
  expect(await webApps.updateScmAllowed('group', 'site', { allow: false })).toMatchObject({ allow: false })
  expect(await webApps.getScmAllowed('group', 'site')).toMatchObject({ allow: false })
  expect(await webApps.getFtpAllowed('group', 'site')).toMatchObject({ allow: true })
  await webApps.updateFtpAllowed('group', 'site', { allow: false })
  expect(await webApps.getFtpAllowed('group', 'site')).toMatchObject({ allow: false })
})

it('stores the configuration of logs', async () => {
  const { webApps } = clients.web
  const fileSystem = { enabled: true, retentionInDays: 7, retentionInMb: 100 }
  expect((await webApps.getDiagnosticLogsConfiguration('group', 'site')).httpLogs?.fileSystem?.enabled).toBe(false)
  await webApps.updateDiagnosticLogsConfig('group', 'site', { httpLogs: { fileSystem } })
  expect(await webApps.getDiagnosticLogsConfiguration('group', 'site')).toMatchObject({
    httpLogs: { fileSystem },
    detailedErrorMessages: { enabled: false },
  })
})

it('keeps the parts of a site after a PUT and a PATCH, does not show them in the site, and deletes them with it', async () => {
  const policy = `${site}/basicPublishingCredentialsPolicies/scm`
  await send('PUT', policy, { properties: { allow: false } })
  const put = await send('PUT', site, { location, properties: {}, parts: { scm: { allow: true } } })
  const patch = await send('PATCH', site, { tags: { a: 'b' } })
  for (const { json } of [put, patch, await send('GET', site)]) expect(json).not.toHaveProperty('parts')
  expect((await send('GET', policy)).json.properties).toEqual({ allow: false })
  expect((await send('DELETE', policy)).status).toBe(405)
  await send('DELETE', site)
  expect((await send('GET', policy)).status).toBe(404)
  await send('PUT', site, { location, properties: {} })
  expect((await send('GET', policy)).json.properties).toEqual({ allow: true })
})

it.each([
  ['an unknown policy', 'ssh', { allow: false }, 'InvalidResourceName'],
  ['a policy without a decision', 'scm', {}, 'InvalidRequestContent'],
])('rejects %s', async (_name, policy, properties, code) => {
  const { status, json } = await send('PUT', `${site}/basicPublishingCredentialsPolicies/${policy}`, { properties })
  expect([status, json.error.code]).toEqual([400, code])
})

it('stores a setting of autoscale, which requires a profile', async () => {
  const path = `${group}/providers/Microsoft.Insights/autoscaleSettings/busy`
  const profiles = [{ name: 'cpu', capacity: { minimum: '1', maximum: '3', default: '1' }, rules: [] }]
  expect(await send('PUT', path, { location, properties: { profiles, enabled: true } })).toMatchObject({ status: 201 })
  expect((await send('GET', path)).json.properties).toMatchObject({ profiles, enabled: true })
  expect((await send('PUT', path, { location, properties: { enabled: true } })).status).toBe(400)
  expect((await send('DELETE', path)).status).toBe(200)
  expect((await send('GET', path)).status).toBe(404)
})

it('changes the redundancy of a storage account within its zones at once, and to other zones by a migration', async () => {
  const { storageAccounts } = clients.storage
  const put = (name: string) =>
    storageAccounts.beginCreateAndWait('group', 'mappings', { location, kind: 'StorageV2', sku: { name } })
  const getSku = async () => (await storageAccounts.getProperties('group', 'mappings')).sku?.name
  await put('Standard_LRS')
  await put('Standard_GRS')
  await put('Standard_LRS')
  for (const sku of ['Standard_ZRS', 'Standard_GZRS'])
    await expect(put(sku)).rejects.toMatchObject({ statusCode: 400, code: 'StorageAccountTypeConversionNotAllowed' })
  expect(await getSku()).toBe('Standard_LRS')
  await storageAccounts.beginCustomerInitiatedMigrationAndWait('group', 'mappings', { targetSkuName: 'Standard_ZRS' })
  expect(await getSku()).toBe('Standard_ZRS')
  await put('Standard_GZRS')
  await expect(put('Standard_LRS')).rejects.toMatchObject({ code: 'StorageAccountTypeConversionNotAllowed' })
})
