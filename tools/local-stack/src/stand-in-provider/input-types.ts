import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Type of an input. Empty if every value is valid. */
export interface InputType {
  readonly type: 'string' | 'number' | 'boolean' | 'array' | 'object' | ''
  /** Type of the items of a list. */
  readonly items?: InputType
  /** Reference to the members of an object, unless it is a map or a union. */
  readonly reference?: string
}

interface Input {
  readonly type: InputType
  readonly isRequired: boolean
}

export type Inputs = Readonly<Record<string, Input>>

// The declarations contain what the genuine provider has as metadata, except limits, patterns, and which numbers are integers.
const sdk = dirname(createRequire(import.meta.url).resolve('@pulumi/azure-native/package.json'))
const types = new Map<string, Inputs>()
const namespaces = new Map<string, string>()
let nestedDeclarations: string | undefined

/** Returns the inputs of a type, such as `azure-native:web:WebApp`, as the installed SDK declares them. */
export function getInputs(type: string): Inputs {
  return remember(types, type, () => {
    const [, module, name] = type.split(':') as [string, string, string]
    const file = join(sdk, module, `${name[0]!.toLowerCase()}${name.slice(1)}.d.ts`)
    return parseInterface(readFileSync(file, 'utf8'), `${name}Args`)
  })
}

/** Returns the members of a nested type by its reference, such as `web.SiteConfigArgs`. */
export function getMembers(reference: string): Inputs {
  return remember(types, reference, () => {
    const [module, name] = reference.split('.') as [string, string]
    return parseInterface(
      remember(namespaces, module, () => readNamespace(module)),
      name,
    )
  })
}

function readNamespace(module: string): string {
  // 7 MB: the nested types of all modules.
  nestedDeclarations ??= readFileSync(join(sdk, 'types/input.d.ts'), 'utf8')
  const start = nestedDeclarations.indexOf(`declare namespace ${module} {`)
  return nestedDeclarations.slice(start, nestedDeclarations.indexOf('\n}\n', start))
}

function remember<Value>(known: Map<string, Value>, key: string, read: () => Value): Value {
  const value = known.get(key) ?? read()
  known.set(key, value)
  return value
}

function parseInterface(declarations: string, name: string): Inputs {
  const start = declarations.indexOf(`interface ${name} {`)
  if (start === -1) throw new Error(`@pulumi/azure-native does not declare ${name}: correct the type's name`)
  const rest = declarations.slice(start)
  const members = rest
    .slice(0, rest.search(/^ *\}$/m))
    .replaceAll(/\/\*\*[^]*?\*\//g, '')
    .matchAll(/^ +(\w+)(\??): ((?:\{[^}]*\}|[^;{])+);/gm)
  const inputs = [...members].map(([, member, optional, declared]) => [
    member!,
    { type: toInputType(declared!), isRequired: optional === '' },
  ])
  return Object.fromEntries(inputs) as Inputs
}

/** Parses a declared type, such as `pulumi.Input<pulumi.Input<inputs.web.NameValuePairArgs>[] | undefined>`. */
export function toInputType(declared: string): InputType {
  const text = declared.replaceAll(/pulumi\.Input<|>| \| undefined/g, '')
  if (text.endsWith('[]')) return { type: 'array', items: toInputType(text.slice(0, -2)) }
  if (text === 'number' || text === 'boolean') return { type: text }
  if (text.startsWith('{')) return { type: 'object' }
  const options = text.replaceAll(/[()]/g, '').split(' | ')
  if (options.every((option) => /^(?:string|enums\..*|".*")$/.test(option))) return { type: 'string' }
  const [, reference] = /^inputs\.(\w+\.\w+)$/.exec(text) ?? []
  return reference === undefined ? { type: '' } : { type: 'object', reference }
}
