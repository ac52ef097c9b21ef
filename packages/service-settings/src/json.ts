import type { Static, TSchema } from 'typebox'
import type { TLocalizedValidationError } from 'typebox/error'
import { Settings } from 'typebox/system'
import { Check, Errors } from 'typebox/value'
import { parseJson } from './parse-json.ts'

/**
 * Returns a parser of JSON that validates against a schema. Its error names each invalid place, with property names of the
 * schema only. `check` yields issues that a schema cannot express; its value may not match the schema.
 */
export function json<Schema extends TSchema>(schema: Schema, check: (value: unknown) => Iterable<string> = () => []) {
  const schemaText = JSON.stringify(schema)
  // Other property names are part of the value, which may be secret.
  const place = (path: string) =>
    path.replaceAll(/[^/]+/g, (name) => (/^\d{1,3}$/.test(name) || schemaText.includes(`"${name}":`) ? name : '*'))
  return (text: string): Static<Schema> => {
    const value = parseJson(text)
    if (value === undefined) throw new Error('must be JSON')
    // Not compiled: that would take longer than checking a value once.
    const errors = withoutLimit(() => Errors(schema, value))
    const issues = [
      ...collapse(errors).map(({ instancePath, message }) => `${place(instancePath) || 'the value'} ${message}`),
      ...check(value),
    ]
    if (issues.length === 0 && Check(schema, value)) return value
    throw new Error(`is invalid: ${[...new Set(issues)].join('; ')}`)
  }
}

/** Runs an action without TypeBox's limit of eight errors: three invalid unions alone have nine. */
function withoutLimit<Result>(action: () => Result): Result {
  const { maxErrors } = Settings.Get()
  Settings.Set({ maxErrors: Number.MAX_SAFE_INTEGER })
  try {
    return action()
  } finally {
    Settings.Set({ maxErrors })
  }
}

/** Merges TypeBox's errors into one per issue: it has one per branch of a union, and two per unknown property. */
function collapse(errors: readonly TLocalizedValidationError[]): readonly TLocalizedValidationError[] {
  let rest = errors.filter(({ keyword }) => keyword !== 'boolean')
  for (const union of errors.filter(({ keyword }) => keyword === 'anyOf')) {
    const { instancePath, schemaPath } = union
    const branches = rest.filter(
      (error) =>
        `${error.instancePath}/`.startsWith(`${instancePath}/`) && error.schemaPath.startsWith(`${schemaPath}/anyOf/`),
    )
    const wrongTypes = branches.filter((error) => error.keyword === 'type' && error.instancePath === instancePath)
    const types = wrongTypes.map(({ message }) => message.replace(/^must be /, ''))
    // A branch whose type fits has errors of its own.
    const summary = types.length < branches.length ? [] : [{ ...union, message: `must be ${types.join(' or ')}` }]
    rest = rest.flatMap((error) => (error === union ? summary : wrongTypes.includes(error) ? [] : [error]))
  }
  return rest
}
