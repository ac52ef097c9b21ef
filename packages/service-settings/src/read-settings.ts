import { parseConnectionString } from '@acs-kit/communication-identity'
import { settings, type SettingName, type Settings } from './settings.ts'

/** Lists everything that is wrong, one line each, without repeating a value that may be secret. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly issues: readonly string[]

  constructor(issues: readonly string[]) {
    super(`The settings are no good:\n${issues.map((issue) => `- ${issue}`).join('\n')}`)
    this.issues = issues
  }
}

/** Reads and checks all settings at once. Throws a `SettingsError`. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const issues: string[] = []
  const values = Object.fromEntries(
    Object.entries(settings).map(([name, { parse, fallback }]) => {
      const text = environment[name]?.trim()
      if (!text) return [name, fallback]
      try {
        return [name, parse(text)]
      } catch (error) {
        issues.push(`${name} ${(error as Error).message}`)
        return [name, fallback]
      }
    }),
  ) as Settings
  issues.push(...contradictions(values, new Set(issues.map((issue) => issue.split(' ', 1)[0] as SettingName))))
  if (issues.length > 0) throw new SettingsError(issues)
  return Object.freeze(isEndpointRepeated(values) ? { ...values, COMMUNICATION_SERVICES_ENDPOINT: undefined } : values)
}

/** What no setting can tell by itself; silent about those that are wrong already. */
function* contradictions(values: Settings, wrong: ReadonlySet<SettingName>): Generator<string> {
  if (values.SIGN_IN_ISSUERS.length === 0 && !wrong.has('SIGN_IN_ISSUERS')) {
    yield 'SIGN_IN_ISSUERS is missing: the service does not run without sign-in'
  }
  if (!isEndpointRepeated(values)) {
    yield* exactlyOne('COMMUNICATION_SERVICES_CONNECTION_STRING', 'COMMUNICATION_SERVICES_ENDPOINT')
  }
  yield* exactlyOne('IDENTITY_STORE_CONNECTION_STRING', 'IDENTITY_STORE_ENDPOINT')
  if (values.COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING && !values.COMMUNICATION_SERVICES_CONNECTION_STRING) {
    yield 'COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING needs COMMUNICATION_SERVICES_CONNECTION_STRING beside it'
  }
  const primary = values.COMMUNICATION_SERVICES_CONNECTION_STRING
  const secondary = values.COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING
  if (primary && secondary && parseConnectionString(primary).endpoint !== parseConnectionString(secondary).endpoint) {
    yield 'COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING has to be of the same resource: its endpoint is another'
  }
  if (values.ACS_SDK === 'administration') {
    const rules = [values.SCOPE_POLICY.default, ...Object.values(values.SCOPE_POLICY.roles ?? {})]
    // Its tokens live for 24 hours, whatever is asked: a cap that can't be kept is a hole.
    if (
      values.SCOPE_POLICY !== settings.SCOPE_POLICY.fallback &&
      rules.some((rule) => rule.scopes.length > 0 && rule.maxExpiresInMinutes < 1440)
    ) {
      yield 'SCOPE_POLICY caps a lifetime below 1440 minutes, which ACS_SDK=administration can’t do'
    }
  }

  function* exactlyOne(first: SettingName, second: SettingName): Generator<string> {
    if (wrong.has(first) || wrong.has(second)) return
    const count = [first, second].filter((name) => values[name] !== undefined).length
    if (count === 0) yield `${first} or ${second} is missing`
    if (count === 2) yield `${first} and ${second} exclude each other`
  }
}

/** Whether the endpoint is the one in the connection string: then it names no other resource, and no other credential is needed. */
function isEndpointRepeated(values: Settings): boolean {
  const { COMMUNICATION_SERVICES_CONNECTION_STRING: primary, COMMUNICATION_SERVICES_ENDPOINT: endpoint } = values
  return primary !== undefined && parseConnectionString(primary).endpoint === endpoint
}
