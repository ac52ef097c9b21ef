import { createHash, type KeyObject } from 'node:crypto'

/** One of the two access keys of a resource. */
export type KeySlot = 'primary' | 'secondary'

export interface AccessKey {
  readonly id: number
  readonly slot: KeySlot
  /** Base64, as in a connection string. */
  readonly value: string
  /** The same key, ready for signing. */
  readonly secret: KeyObject
}

/** Name of the resource that every emulator serves. */
export const defaultResourceName = 'default'

/** Port on which `communication-emulator start` serves the default resource. */
export const wellKnownPort = 4380

/**
 * Access key of the default resource. Like the account key of Azurite it is public: it opens only emulators, so the connection
 * string is a constant that is safe to share.
 */
export const wellKnownAccessKey =
  'YWNzLWtpdC9jb21tdW5pY2F0aW9uLWVtdWxhdG9yOiBhIHdlbGwta25vd24ga2V5LCBub3QgYSBzZWNyZXQhIQ=='

/** Connection string of the default resource of `communication-emulator start`. */
export const wellKnownConnectionString = formatConnectionString(
  `https://localhost:${wellKnownPort}/`,
  wellKnownAccessKey,
)

export function formatConnectionString(endpoint: string, accessKey: string): string {
  return `endpoint=${endpoint};accesskey=${accessKey}`
}

/** Returns the well-known key of a resource: every name has its own. */
export function getWellKnownAccessKey(resourceName: string): string {
  if (resourceName === defaultResourceName) return wellKnownAccessKey
  return createHash('sha512').update(`acs-kit/communication-emulator: ${resourceName}`).digest('base64')
}

export function isBase64(text: string): boolean {
  return text !== '' && Buffer.from(text, 'base64').toString('base64') === text
}
