import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { wellKnownConnectionString, wellKnownPort, wellKnownTenantId } from '@acs-kit/communication-emulator'
import { readPluginSettings, readSettings, settings } from '@acs-kit/service-settings'
import { expect, it } from 'vitest'

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
const examples = [...readme.matchAll(/```json\n(.*?)```/gs)].map(([, text]) => text!)

it('lists every setting in the README with its description', () => {
  const listed = [...readme.matchAll(/^\| `([A-Z_]+)` +\| (.*?) +\|/gm)].map(([, name, meaning]) => [name, meaning])
  expect(listed).toEqual(Object.entries(settings).map(([name, { description }]) => [name, description]))
})

it.each([...readme.matchAll(/^\| `([A-Z_]+)` .* (\d+ to \d+) +\|/gm)].map(([, name, range]) => [name, range]))(
  'states the range of %s in the README: %s',
  (name, range) => {
    const { parse } = settings[name as keyof typeof settings]
    expect(() => parse('-1')).toThrow(`must be a whole number from ${range}`)
  },
)

it('shows valid settings in the README', () => {
  const [issuers = '', policy = '', teamsExtension = ''] = examples
  const values = readSettings({
    SIGN_IN_ISSUERS: issuers,
    SCOPE_POLICY: policy,
    TEAMS_EXTENSION: teamsExtension.replaceAll(/<\w+>/g, '9f4b7c9e-5d2a-4c4e-8d35-1f0f5a1f6b11'),
    COMMUNICATION_SERVICES_ENDPOINT: 'https://acs.example/',
    IDENTITY_STORE_ENDPOINT: 'https://store.example/',
  })
  expect(values.SIGN_IN_ISSUERS[0]).toMatchObject({ kind: 'entra' })
  expect(values.SCOPE_POLICY).toEqual(settings.SCOPE_POLICY.fallback)
})

it('shows valid settings for the emulator and Azurite in the README', () => {
  const variables = [...readme.matchAll(/^export ([A-Z_]+)='(.*)'$/gm)].map(([, name, value]) => [name, value])
  const values = readPluginSettings({
    ...Object.fromEntries(variables),
    COMMUNICATION_SERVICES_CONNECTION_STRING: wellKnownConnectionString,
  })
  const issuer = `https://localhost:${wellKnownPort}/${wellKnownTenantId}/v2.0`
  expect(values.SIGN_IN_ISSUERS).toMatchObject([{ issuer, audience: 'api://acs-kit', kind: 'entra' }])
})
