import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { invokeTable, resourceTable } from '../src/stand-in-provider/resource-table.ts'

/** Outputs of every type, and a group's `properties`, which are not flattened. */
const shared = new Set(['azureApiVersion', 'name', 'properties', 'provisioningState', 'systemData', 'type'])
const sdk = dirname(createRequire(import.meta.url).resolve('@pulumi/azure-native/package.json'))

it.each(Object.entries({ ...resourceTable, ...invokeTable }))(
  'uses the api-version of the installed SDK for %s',
  (token, { apiVersion }) => {
    const [, module, name] = token.split(':') as [string, string, string]
    const declaration = readFileSync(join(sdk, module, `${name[0]!.toLowerCase()}${name.slice(1)}.d.ts`), 'utf8')
    expect(/Uses Azure REST API version ([-\w]+)\./.exec(declaration)?.[1]).toBe(apiVersion)
  },
)

it.each(Object.entries(resourceTable))(
  'declares the outputs of the installed SDK for %s',
  (token, { readOnly = [] }) => {
    const [, module, name] = token.split(':') as [string, string, string]
    const code = readFileSync(join(sdk, module, `${name[0]!.toLowerCase()}${name.slice(1)}.js`), 'utf8')
    // The branch of its constructor that creates a resource.
    const [created] = code.split(/\n +else \{/)
    const outputs = [...created!.matchAll(/resourceInputs\["(\w+)"\] = undefined \/\*out\*\//g)].map(
      ([, output]) => output!,
    )
    expect(readOnly).toEqual(outputs.filter((output) => !shared.has(output)))
  },
)
