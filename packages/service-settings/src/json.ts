import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

/** JSON that fits a schema; the refusal names each place that does not, by names of the schema and no others. */
export function json<Schema extends TSchema>(schema: Schema) {
  const validator = Compile(schema)
  const schemaText = JSON.stringify(schema)
  // A name that the text made up is part of its value.
  const place = (path: string) =>
    path.replaceAll(/[^/]+/g, (name) => (/^\d{1,3}$/.test(name) || schemaText.includes(`"${name}":`) ? name : '*'))
  return (text: string): Static<Schema> => {
    const value = parse(text)
    if (validator.Check(value)) return value
    const mistakes = validator
      .Errors(value)
      .map(({ instancePath, message }) => `${place(instancePath) || 'it'} ${message}`)
    throw new Error(`does not fit: ${[...new Set(mistakes)].join('; ')}`)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('must be JSON')
  }
}
