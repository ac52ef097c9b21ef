import { isOrigin, isTrustworthy, trustworthyUrl } from './url.ts'

/** How one environment variable is read. */
export interface Setting<Value> {
  /** For the person who sets it; a sentence without its full stop. */
  readonly description: string
  /** Must not be shown. */
  readonly isSecret: boolean
  /** The value when the variable is not set; undefined in itself means that there is none. */
  readonly fallback: Value
  /** Throws an Error that says what the value must be, and never repeats it. */
  readonly parse: (text: string) => Value
}

export function setting<Value>(
  description: string,
  parse: (text: string) => Exclude<Value, undefined>,
  fallback: Value,
): Setting<Value> {
  return { description, parse, fallback, isSecret: false }
}

export function secret(description: string, parse: (text: string) => string): Setting<string | undefined> {
  return { ...setting<string | undefined>(description, parse, undefined), isSecret: true }
}

export function text(value: string): string {
  return value
}

export function integer(minimum: number, maximum: number) {
  return (value: string): number => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
    if (number >= minimum && number <= maximum) return number
    throw new Error(`must be a whole number from ${minimum} to ${maximum}`)
  }
}

export function flag(value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true'
  throw new Error('must be true or false')
}

export function oneOf<Name extends string>(...names: readonly Name[]) {
  return (value: string): Name => {
    const name = names.find((candidate) => candidate === value)
    if (name !== undefined) return name
    throw new Error(`must be ${names.join(' or ')}`)
  }
}

/** An endpoint of Azure; its credentials are settings of their own, so it has no query either. */
export function endpoint(value: string): string {
  if (isTrustworthy(value) && !/[?#]/.test(value)) return value
  throw new Error(`must be ${trustworthyUrl}, and have no query or fragment`)
}

/** Comma-separated origins, each exactly as a browser sends it. */
export function origins(value: string): readonly string[] {
  const list = value.split(',').map((origin) => origin.trim())
  const wrong = list.findIndex((origin) => !isOrigin(origin))
  if (wrong < 0) return list
  throw new Error(
    `must list origins such as https://app.example.com, without paths or wildcards: entry ${wrong + 1} is invalid`,
  )
}

export function guid(value: string): string {
  if (/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value)) return value.toLowerCase()
  throw new Error('must be a GUID')
}
