import { isLoopback, isOrigin, isTrustworthy, trustworthyUrl } from './url.ts'

/** Definition of one environment variable. */
export interface Setting<Value> {
  /** A phrase for documentation, without a full stop. */
  readonly description: string
  /** Value when the variable is not set. */
  readonly fallback: Value
  /** Throws an Error that describes the expected value and never repeats the given one. */
  readonly parse: (text: string) => Value
}

export function setting<Value>(
  description: string,
  parse: (text: string) => Exclude<Value, undefined>,
  fallback: Value,
): Setting<Value> {
  return { description, parse, fallback }
}

/** Defines a setting without a default. */
export function optional<Value>(
  description: string,
  parse: (text: string) => Exclude<Value, undefined>,
): Setting<Value | undefined> {
  return setting<Value | undefined>(description, parse, undefined)
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

/** Parses an Azure endpoint. Credentials are separate settings, so a query such as a shared access signature is rejected. */
export function endpoint(value: string): string {
  if (isTrustworthy(value) && !/[?#]/.test(value)) return value
  throw new Error(`must be ${trustworthyUrl}, without a query or fragment`)
}

/** Parses comma-separated origins, each exactly as browsers send it, or a loopback origin with `*` as its port. */
export function origins(value: string): readonly string[] {
  const list = value.split(',').map((origin) => origin.trim())
  const index = list.findIndex((origin) => !isOrigin(origin) && !isLoopbackPattern(origin))
  if (index < 0) return list
  throw new Error(
    `has an invalid entry ${index + 1}: list origins such as https://app.example.com, each subdomain separately, without paths or wildcards except http://localhost:*`,
  )
}

function isLoopbackPattern(text: string): boolean {
  const origin = text.replace(/:\*$/, '')
  return origin !== text && isOrigin(origin) && isLoopback(new URL(origin).hostname)
}

export function guid(value: string): string {
  if (/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value)) return value.toLowerCase()
  throw new Error('must be a GUID')
}
