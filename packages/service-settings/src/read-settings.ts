import { parseConnectionString } from '@acs-kit/communication-identity'
import { settings, type SettingName, type Settings } from './settings.ts'
import { isTrustworthy } from './url.ts'

/**
 * Error of an invalid configuration. The message lists all `issues`, one line each, and never repeats a value, which may be
 * secret.
 *
 * @example
 * if (error instanceof SettingsError) process.stderr.write(`${error.message}\n`)
 */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  /** Descriptions of what is wrong, each beginning with the name of a setting. */
  readonly issues: readonly string[]

  /** @param issues Descriptions of what is wrong. */
  constructor(issues: readonly string[]) {
    super(`Invalid configuration:\n${issues.map((issue) => `- ${issue}`).join('\n')}`)
    this.issues = issues
  }
}

/**
 * Reads and validates all settings. Empty variables count as not set.
 *
 * @param environment Environment variables, usually `process.env`. Other variables are ignored.
 * @returns The parsed settings, with defaults for those that are not set.
 * @throws {SettingsError} When a setting is invalid or missing, or two settings conflict; reports all issues together.
 * @example
 * const { PORT, SIGN_IN_ISSUERS } = readSettings(process.env)
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const invalid = new Map<string, string>()
  const values = Object.fromEntries(
    Object.entries(settings).map(([name, { parse, fallback }]) => {
      const text = environment[name]?.trim()
      if (!text) return [name, fallback]
      try {
        return [name, parse(text)]
      } catch (error) {
        invalid.set(name, `${name} ${(error as Error).message}`)
        return [name, fallback]
      }
    }),
  ) as Settings
  const issues = [...invalid.values(), ...findConflicts(values, invalid)]
  if (issues.length > 0) throw new SettingsError(issues)
  return Object.freeze(isEndpointRepeated(values) ? { ...values, COMMUNICATION_SERVICES_ENDPOINT: undefined } : values)
}

/**
 * Reads the settings for an app that hosts the service as a plugin. Ignores `OTEL_…`, which belong to the app's own OpenTelemetry
 * and may have values that the service does not support, such as the protocol `grpc`.
 *
 * @param environment Environment variables, usually `process.env`.
 * @returns The parsed settings.
 * @throws {SettingsError} As `readSettings`.
 * @example
 * const settings = readPluginSettings(process.env)
 */
export function readPluginSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  return readSettings(Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('OTEL_'))))
}

/** Yields the issues between settings, except for settings that are invalid themselves. */
function* findConflicts(values: Settings, invalid: ReadonlyMap<string, string>): Generator<string> {
  const primary = values.COMMUNICATION_SERVICES_CONNECTION_STRING
  const secondary = values.COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING
  if (values.SIGN_IN_ISSUERS.length === 0 && !invalid.has('SIGN_IN_ISSUERS')) {
    yield 'SIGN_IN_ISSUERS is missing: list at least one trusted issuer'
  }
  if (!isEndpointRepeated(values)) {
    yield* requireOne('COMMUNICATION_SERVICES_CONNECTION_STRING', 'COMMUNICATION_SERVICES_ENDPOINT')
  }
  yield* requireOne('IDENTITY_STORE_CONNECTION_STRING', 'IDENTITY_STORE_ENDPOINT')
  if (secondary && !primary) {
    yield 'COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING requires COMMUNICATION_SERVICES_CONNECTION_STRING: set both'
  }
  if (primary && secondary && parseConnectionString(primary).endpoint !== parseConnectionString(secondary).endpoint) {
    yield 'COMMUNICATION_SERVICES_SECONDARY_CONNECTION_STRING belongs to another resource: copy both connection strings from one resource'
  }
  const { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_EXPORTER_OTLP_HEADERS: headers } = values
  if (collector !== undefined && Object.keys(headers).length > 0 && !isTrustworthy(collector)) {
    yield 'OTEL_EXPORTER_OTLP_HEADERS would be sent unencrypted: set an https URL as OTEL_EXPORTER_OTLP_ENDPOINT, or omit the headers'
  }
  const rules = [values.SCOPE_POLICY.default, ...Object.values(values.SCOPE_POLICY.roles ?? {})]
  // The tokens of this SDK always live for 24 hours, so it cannot enforce a lower limit.
  if (
    values.ACS_SDK === 'administration' &&
    values.SCOPE_POLICY !== settings.SCOPE_POLICY.fallback &&
    rules.some((rule) => rule.scopes.length > 0 && rule.maxExpiresInMinutes < 1440)
  ) {
    yield 'SCOPE_POLICY has a lifetime below 1440 minutes, which ACS_SDK=administration does not support: set ACS_SDK=identity'
  }

  function* requireOne(first: SettingName, second: SettingName): Generator<string> {
    if (invalid.has(first) || invalid.has(second)) return
    const count = [first, second].filter((name) => values[name] !== undefined).length
    if (count === 0) yield `${first} or ${second} is missing: set one of them`
    if (count === 2) yield `${first} and ${second} are both set: remove one of them`
  }
}

/** Returns whether the endpoint is that of the connection string, so that it needs no credential of its own. */
function isEndpointRepeated(values: Settings): boolean {
  const { COMMUNICATION_SERVICES_CONNECTION_STRING: primary, COMMUNICATION_SERVICES_ENDPOINT: endpoint } = values
  return primary !== undefined && parseConnectionString(primary).endpoint === endpoint
}
