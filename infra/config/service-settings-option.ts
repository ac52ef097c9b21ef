import { parseJson, settings, type SettingName } from '@acs-kit/service-settings'
import { ownSettings } from '../app-settings.ts'

/** Parses the option `settings`: settings of the service, by name. Messages never repeat a value, which may be secret. */
export function parseServiceSettings(text: string): Readonly<Partial<Record<SettingName, string>>> {
  const map = parseJson(text)
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new Error(' is not a map: pulumi config set --path settings.LOG_LEVEL warn')
  }
  const issues = Object.entries(map).flatMap(([name, value]: [string, unknown]) => {
    const issue = findIssue(name, value)
    return issue === undefined ? [] : [`.${name} ${issue}`]
  })
  if (issues.length > 0) throw new Error(issues.join('\n'))
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, String(value)]))
}

function findIssue(name: string, value: unknown): string | undefined {
  if (!isSettingName(name)) {
    const known = Object.keys(settings).find((other) => normalize(other) === normalize(name))
    return `is unknown: ${known ? `write ${known}` : 'see the settings in apps/token-service/README.md'}`
  }
  const owner = ownSettings[name]
  if (owner !== undefined) return owner
  if (!['string', 'number', 'boolean'].includes(typeof value)) return 'is invalid: expected a text, number or boolean'
  try {
    settings[name].parse(String(value).trim())
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settings, name)
}

/** Name in the form that differs only for other words: `tokensPerMinute` equals `TOKENS_PER_MINUTE`. */
function normalize(name: string): string {
  return name.replaceAll(/[^a-z\d]/gi, '').toLowerCase()
}
