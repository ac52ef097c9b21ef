// A parser throws one line for each issue; the option's name is prepended to it.
import { parseJson, settings, type Issuer } from '@acs-kit/service-settings'

interface ServiceSetting<Value = unknown> {
  readonly parse: (text: string) => Value
}

/** Azure's limit per resource. */
const maxTags = 50

export function oneOf<Value extends string>(allowed: readonly Value[]): (text: string) => Value {
  return (text) => {
    const value = allowed.find((known) => known === text)
    if (value === undefined) throw new Error(` is ${JSON.stringify(text)}: expected one of ${allowed.join(', ')}`)
    return value
  }
}

export function integer(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (number >= minimum && number <= maximum) return number
    throw new Error(` is ${JSON.stringify(text)}: expected a whole number from ${minimum} to ${maximum}`)
  }
}

export function parseFlag(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new Error(` is ${JSON.stringify(text)}: expected true or false`)
}

export function parseOrigins(text: string): readonly string[] {
  const list = parseJson(text)
  if (!Array.isArray(list)) throw new Error(' is not a list: pulumi config set --path allowedOrigins[0] https://…')
  const wrong = list.filter((origin) => typeof origin !== 'string' || !isAllowedOrigin(origin))
  if (wrong.length === 0) return list
  const issues = wrong.map(
    (origin) =>
      ` has ${JSON.stringify(origin)}: expected an origin without a path or wildcard, such as https://app.example.com`,
  )
  throw new Error(issues.join('\n'))
}

function isAllowedOrigin(text: string): boolean {
  try {
    settings.ALLOWED_ORIGINS.parse(text)
    return true
  } catch {
    return false
  }
}

export function parseIssuers(text: string): readonly Issuer[] {
  return parseSetting(text, settings.SIGN_IN_ISSUERS)
}

/** Returns a parser of JSON that is passed on to the service, and validated with the rules of its setting. */
export function jsonFor(setting: ServiceSetting): (text: string) => string {
  return (text) => {
    parseSetting(text, setting)
    return text
  }
}

/** Parses JSON with the rules of a setting of the service. */
function parseSetting<Value>(text: string, { parse }: ServiceSetting<Value>): Value {
  const placeholders = new Set(text.match(/<[^<>]*>/g))
  const issues = [...placeholders].map((name) => ` has the placeholder ${name}: replace it (see README.md)`)
  try {
    const value = parse(text)
    if (issues.length === 0) return value
  } catch (error) {
    issues.push(` ${(error as Error).message}`)
  }
  throw new Error(issues.join('\n'))
}

export function parseTags(text: string): Readonly<Record<string, string>> {
  const tags = parseJson(text)
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) {
    throw new Error(' is not a map: pulumi config set --path tags.environment dev')
  }
  const issues = Object.entries(tags).flatMap(([name, value]: [string, unknown]) => {
    if (!/^[^<>%&\\?/]{1,128}$/.test(name)) return [`.${name}: expected a name of 1 to 128 characters without <>%&\\?/`]
    // Not converted, because YAML has already parsed it: the number 0042 is 34 now, and 1.10 is 1.1.
    if (typeof value !== 'string') return [`.${name} is not a string: quote it, or set it with --type string`]
    return value.length > 256 ? [`.${name} is too long: expected at most 256 characters`] : []
  })
  const count = Object.keys(tags).length
  if (count > maxTags) issues.push(` has ${count} tags: expected at most ${maxTags}`)
  if (issues.length > 0) throw new Error(issues.join('\n'))
  return tags as Readonly<Record<string, string>>
}
