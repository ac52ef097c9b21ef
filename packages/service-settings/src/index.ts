export type { Issuer } from './issuer.ts'
export { readSettings, SettingsError } from './read-settings.ts'
export type { ScopePolicy } from './scope-policy.ts'
export { settings, type SettingName, type Settings } from './settings.ts'
