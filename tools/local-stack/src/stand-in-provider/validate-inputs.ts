import { getMembers, type Inputs, type InputType } from './input-types.ts'
import { isRecord, isUnknown, type Values } from './struct-values.ts'

const missingLocation =
  ". Either set it explicitly or configure it with 'pulumi config set azure-native:location <value>'."

/**
 * Yields a reason for each missing or invalid input, in the genuine provider's words. Like that provider, accepts booleans and
 * objects where another type is declared, and undeclared inputs.
 */
export function* validateInputs(inputs: Inputs, values: Values, path = ''): Generator<string> {
  for (const [name, { type, isRequired }] of Object.entries(inputs)) {
    const memberPath = path === '' ? name : `${path}.${name}`
    const value = values[name]
    if (value !== undefined) yield* validateValue(type, value, memberPath)
    else if (isRequired) {
      yield `missing required property '${memberPath}'${memberPath === 'location' ? missingLocation : ''}`
    }
  }
}

function* validateValue(declared: InputType, value: unknown, path: string): Generator<string> {
  const { type, items, reference } = declared
  if (isUnknown(value) || type === '') return
  if (Array.isArray(value)) {
    if (type !== 'array') yield `'${path}' should be of type '${type}' but got an array`
    else for (const [index, item] of value.entries()) yield* validateValue(items!, item, `${path}[${index}]`)
  } else if (isRecord(value)) {
    if (reference !== undefined) yield* validateInputs(getMembers(reference), value, path)
  } else if ((typeof value === 'string' || typeof value === 'number') && type !== typeof value) {
    yield `'${path}' should be of type '${type}' but got a ${typeof value}`
  }
}
