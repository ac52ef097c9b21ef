import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { readSettings } from '@acs-kit/service-settings'
import { LocalWorkspace, type PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import { expect, it } from 'vitest'
import { parseConfig, type RawConfig } from '../config.ts'

const prefix = 'acs-kit:'
/** Whatever the program knows has a value once it is parsed. */
const known = Object.keys(parseConfig('any', { issuers: [{}] }))

/** The example of a stack, as Pulumi reads it. */
async function exampleOf(stack: string): Promise<Record<string, unknown>> {
  const workspace = await LocalWorkspace.create({
    workDir: join(import.meta.dirname, '..'),
    // Reading a file takes no CLI, and would else look for one.
    pulumiCommand: {} as PulumiCommand,
  })
  return (await workspace.stackSettings(stack)).config ?? {}
}

async function parseExample(stack: string) {
  const entries = Object.entries(await exampleOf(stack)).filter(([name]) => name.startsWith(prefix))
  const raw: RawConfig = Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]))
  // As a person does who puts their own in.
  const own = JSON.parse(JSON.stringify(raw).replaceAll(/<(?:tenant|application)>/g, randomUUID())) as RawConfig
  return parseConfig(stack, own)
}

it.each(['dev', 'prod'])('the example of %s names nothing that the program does not know', async (stack) => {
  const names = Object.keys(await exampleOf(stack))
  expect(['azure-native:location', ...known.map((name) => prefix + name)]).toEqual(expect.arrayContaining(names))
  expect(names).toEqual(expect.arrayContaining(['azure-native:location', `${prefix}issuers`]))
})

it.each(['dev', 'prod'])('the example of %s is accepted, by the service too', async (stack) => {
  const { issuers, allowedOrigins } = await parseExample(stack)
  const settings = readSettings({
    SIGN_IN_ISSUERS: JSON.stringify(issuers),
    ALLOWED_ORIGINS: allowedOrigins.join(','),
    COMMUNICATION_SERVICES_ENDPOINT: 'https://calls.example',
    IDENTITY_STORE_ENDPOINT: 'https://map.example',
  })
  // Entra ID's tokens of version 2 are for the application's id, never for its URI.
  const entra = settings.SIGN_IN_ISSUERS.filter(({ issuer }) =>
    /^https:\/\/login\.microsoftonline\.com.*\/v2\.0$/.test(issuer),
  )
  expect(entra.filter(({ audience }) => audience.includes('://'))).toEqual([])
})

it('the example of production protects what can’t be brought back', async () => {
  // Pulumi writes it as text once it has made the stack.
  expect(String((await parseExample('prod')).protect)).toBe('true')
})
