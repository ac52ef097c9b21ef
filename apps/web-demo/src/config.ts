import type { OidcMetadata } from 'oidc-client-ts'

/** Content of `config.json` next to the page. */
export interface DemoConfig {
  /** Issuer of the sign-in, and this app's id there. */
  readonly authority: string
  readonly clientId: string
  /** Includes the token service's scope, as in `openid offline_access api://acs-kit/access_as_user`. */
  readonly scope: string
  /** Endpoints of the issuer, if they differ from the published ones. */
  readonly metadata?: Partial<OidcMetadata>
  readonly serviceUrl: string
  /** Administration API of the emulator, if Azure is emulated. */
  readonly emulatorUrl?: string
  /** Token of the administration API, which requests that change something need. */
  readonly emulatorToken?: string
}

export async function readConfig(): Promise<DemoConfig> {
  const response = await fetch('config.json')
  const config = await response.json().catch(() => undefined)
  // Some web servers respond with the page if a file is missing.
  if (config === undefined)
    throw new Error('config.json is missing: create it next to this page, as described in the README.')
  return config as DemoConfig
}
