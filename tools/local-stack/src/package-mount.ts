import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Emulator } from '@acs-kit/communication-emulator'
import { unzipSync } from 'fflate'

export interface MountedSite {
  readonly appSettings: Readonly<Record<string, string>>
  /** Resource ids of the user-assigned identities. */
  readonly identities: readonly string[]
}

const urlSetting = 'WEBSITE_RUN_FROM_PACKAGE'
const identitySetting = 'WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID'

/**
 * Stands in for the mount of App Service: downloads the package that the settings name, with a token of the managed identity
 * that they name, and unpacks it. Rejects with the reason if App Service could not mount it.
 */
export async function mountPackage(
  { entra }: Emulator,
  { appSettings, identities }: MountedSite,
  folder: string,
): Promise<void> {
  const url = appSettings[urlSetting]
  if (url === undefined) throw new Error(`the site has no package: ${urlSetting} is missing, set deployPackage to true`)
  const identity = appSettings[identitySetting] ?? ''
  if (!identities.some((id) => id.toLowerCase() === identity.toLowerCase()))
    throw toMountError(`${identitySetting} is "${identity}", which is not an identity of the site`)
  const token = await requestToken(entra.managedIdentity, identity)
  const headers = { Authorization: `Bearer ${token}`, 'x-ms-version': '2021-12-02' }
  const response = await fetch(url, { headers }).catch((cause: Error) => {
    throw toMountError(`no response from ${url}`, cause)
  })
  if (!response.ok) {
    const code = response.headers.get('x-ms-error-code') ?? ''
    throw toMountError(`${url} responded with ${response.status} ${code}`)
  }
  unpack(await response.bytes(), folder)
}

async function requestToken(
  { endpoint, header }: Emulator['entra']['managedIdentity'],
  identity: string,
): Promise<string> {
  const query = { resource: 'https://storage.azure.com', 'api-version': '2019-08-01', mi_res_id: identity }
  const response = await fetch(`${endpoint}?${new URLSearchParams(query).toString()}`, {
    headers: { 'X-IDENTITY-HEADER': header },
  })
  if (!response.ok) throw toMountError(`the managed identity responded with ${response.status}`)
  return ((await response.json()) as { access_token: string }).access_token
}

function unpack(zip: Uint8Array, folder: string): void {
  for (const [path, content] of Object.entries(unzipSync(zip))) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}

function toMountError(reason: string, cause?: Error): Error {
  const remedy = 'check the blob, and the site in infra/token-service-site.ts'
  return new Error(`the site cannot mount its package: ${reason}: ${remedy}`, { cause })
}
