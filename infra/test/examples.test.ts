import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { LocalWorkspace, type PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import { expect, it } from 'vitest'
import { parseConfig } from '../config.ts'

const prefix = 'acs-kit:'
const rest = { location: 'westeurope', packagePath: import.meta.filename }
const issuers = JSON.stringify([{ issuer: 'https://sign-in.example', audience: 'x' }])
/** Whatever the program knows has a value once it is parsed. */
const known = Object.keys(parseConfig({ stack: 'any', options: { issuers }, ...rest }))

const workspace = await LocalWorkspace.create({
  workDir: join(import.meta.dirname, '..'),
  // Reading a file takes no CLI, and would else look for one.
  pulumiCommand: {} as PulumiCommand,
})

/** The example of a stack, as Pulumi reads it. */
async function exampleOf(stack: string): Promise<Record<string, unknown>> {
  return (await workspace.stackSettings(stack)).config ?? {}
}

async function parseExample(stack: string) {
  const entries = Object.entries(await exampleOf(stack)).filter(([name]) => name.startsWith(prefix))
  const options = entries.map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    // As a person does who puts their own in.
    return [name.slice(prefix.length), text.replaceAll(/<(?:tenant|application)>/g, randomUUID())] as const
  })
  return parseConfig({ stack, options: Object.fromEntries(options), ...rest })
}

it.each(['dev', 'prod'])('the example of %s names nothing that the program does not know', async (stack) => {
  const names = Object.keys(await exampleOf(stack))
  expect(['azure-native:location', ...known.map((name) => prefix + name)]).toEqual(expect.arrayContaining(names))
  expect(names).toEqual(expect.arrayContaining(['azure-native:location', `${prefix}issuers`]))
})

it.each(['dev', 'prod'])('the example of %s is accepted', async (stack) => {
  // Entra ID's tokens of version 2 are for the application's id, never for its URI.
  const entra = (await parseExample(stack)).issuers.filter(({ issuer }) =>
    /^https:\/\/login\.microsoftonline\.com.*\/v2\.0$/.test(issuer),
  )
  expect(entra.flatMap(({ audience }) => audience).filter((audience) => audience.includes('://'))).toEqual([])
})

it('the example of production protects what can’t be brought back', async () => {
  expect((await parseExample('prod')).protect).toBe(true)
})

it('Pulumi installs the packages with pnpm, which the workspace needs', async () => {
  expect((await workspace.projectSettings()).runtime).toMatchObject({ options: { packagemanager: 'pnpm' } })
})
