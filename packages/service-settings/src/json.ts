import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

/** JSON that fits a schema; the refusal names each place that does not. */
export function json<Schema extends TSchema>(schema: Schema) {
  const validator = Compile(schema)
  return (text: string): Static<Schema> => {
    const value = parse(text)
    if (validator.Check(value)) return value
    const mistakes = validator.Errors(value).map(({ instancePath, message }) => `${instancePath || 'it'} ${message}`)
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
