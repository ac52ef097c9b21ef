import type { OidcMetadata } from 'oidc-client-ts'

/** What is told to the page where it is served, in `config.json` beside it. */
export interface DemoConfig {
  /** Issuer of the sign-in, and this app's id there. */
  readonly authority: string
  readonly clientId: string
  /** With the token service's own, such as `openid offline_access api://acs-kit/access_as_user`. */
  readonly scope: string
  /** The issuer's endpoints, if they are to be others than those that it publishes. */
  readonly metadata?: Partial<OidcMetadata>
  readonly serviceUrl: string
  /** Where the emulator's administration is, if Azure is emulated. */
  readonly emulatorUrl?: string
}

export async function readConfig(): Promise<DemoConfig> {
  const response = await fetch('config.json')
  const config = await response.json().catch(() => undefined)
  // Some web servers answer with the page for whatever they have not.
  if (config === undefined)
    throw new Error('config.json is missing beside this page: its README says what belongs there.')
  return config as DemoConfig
}
