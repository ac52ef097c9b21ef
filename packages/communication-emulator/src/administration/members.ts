import { InvalidSettingError } from '../invalid-setting-error.ts'
import { parseObject } from '../raw-request.ts'

/** Members of a request's JSON body. */
export type Members = Readonly<Record<string, unknown>>

export function readMembers(body: Buffer): Members {
  const members = parseObject(body)
  if (members) return members
  throw new InvalidSettingError('the body must be a JSON object')
}

export function readString(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new InvalidSettingError(`${name} must be a string`)
}

/** Reads a string that may be empty. */
export function readText(value: unknown, name: string): string {
  return value === '' ? value : readString(value, name)
}

export function readStrings(value: unknown, name: string): string[] {
  if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value
  throw new InvalidSettingError(`${name} must be an array of strings`)
}

/** Reads a whole number, also from a query parameter. */
export function readInteger(value: unknown, name: string): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  if (!Number.isSafeInteger(number)) throw new InvalidSettingError(`${name} must be a whole number`)
  return number as number
}

export function readPositive(value: unknown, name: string): number {
  const number = readInteger(value, name)
  if (number < 1) throw new InvalidSettingError(`${name} must be above 0`)
  return number
}

/** Returns an object with a member that may be absent, or an empty one. */
export function readOptional<Name extends string, Value>(
  members: Members,
  name: Name,
  read: (value: unknown, name: string) => Value,
): { [Key in Name]?: Value } {
  const value = members[name]
  return value === undefined ? {} : ({ [name]: read(value, name) } as { [Key in Name]?: Value })
}
