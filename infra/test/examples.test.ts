import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { LocalWorkspace, type PulumiCommand } from '@pulumi/pulumi/automation/index.js'
import { expect, it } from 'vitest'
import { parseConfig } from '../config.ts'

const prefix = 'acs-kit:'
const rest = { location: 'westeurope', packagePath: import.meta.filename }
const issuers = JSON.stringify([{ issuer: 'https://sign-in.example', audience: 'x' }])
/** All options of the program: each has a value after parsing. */
const known = Object.keys(parseConfig({ stack: 'any', options: { issuers }, ...rest }))

const workspace = await LocalWorkspace.create({
  workDir: join(import.meta.dirname, '..'),
  // Reading a file needs no CLI, but the workspace would search for one.
  pulumiCommand: {} as PulumiCommand,
})

/** Reads a stack's example as Pulumi does. */
async function readExample(stack: string): Promise<Record<string, unknown>> {
  return (await workspace.stackSettings(stack)).config ?? {}
}

async function parseExample(stack: string) {
  const entries = Object.entries(await readExample(stack)).filter(([name]) => name.startsWith(prefix))
  const options = entries.map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    // Replaces the placeholders, as a user would.
    return [name.slice(prefix.length), text.replaceAll(/<(?:tenant|application)>/g, randomUUID())] as const
  })
  return parseConfig({ stack, options: Object.fromEntries(options), ...rest })
}

it.each(['dev', 'prod'])('uses only known options in the example of %s', async (stack) => {
  const names = Object.keys(await readExample(stack))
  expect(['azure-native:location', ...known.map((name) => prefix + name)]).toEqual(expect.arrayContaining(names))
  expect(names).toEqual(expect.arrayContaining(['azure-native:location', `${prefix}issuers`]))
})

it.each(['dev', 'prod'])('accepts the example of %s', async (stack) => {
  // The audience of Entra ID's version 2 tokens is the application's id, never its URI.
  const entra = (await parseExample(stack)).issuers.filter(({ issuer }) =>
    /^https:\/\/login\.microsoftonline\.com.*\/v2\.0$/.test(issuer),
  )
  expect(entra.flatMap(({ audience }) => audience).filter((audience) => audience.includes('://'))).toEqual([])
})

it('protects the identities in the example of prod', async () => {
  expect((await parseExample('prod')).protect).toBe(true)
})

it('makes Pulumi install the packages with pnpm, which the workspace requires', async () => {
  expect((await workspace.projectSettings()).runtime).toMatchObject({ options: { packagemanager: 'pnpm' } })
})
