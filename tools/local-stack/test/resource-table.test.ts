import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { invokeTable, resourceTable } from '../src/stand-in-provider/resource-table.ts'

const sdk = dirname(createRequire(import.meta.url).resolve('@pulumi/azure-native/package.json'))

it.each(Object.entries({ ...resourceTable, ...invokeTable }))(
  'uses the api-version of the installed SDK for %s',
  (token, { apiVersion }) => {
    const [, module, name] = token.split(':') as [string, string, string]
    const declaration = readFileSync(join(sdk, module, `${name[0]!.toLowerCase()}${name.slice(1)}.d.ts`), 'utf8')
    expect(/Uses Azure REST API version ([-\w]+)\./.exec(declaration)?.[1]).toBe(apiVersion)
  },
)
