import { hash } from 'node:crypto'

/** Filter of the mapping table's rows that map users. Their partition keys are hexadecimal, and `journal` sorts after them. */
export const userRows = "PartitionKey lt 'g'"

/** Entra ID issuers in all clouds, including those for external users. */
export const entraHost =
  /^https:\/\/(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net|[\w-]+\.(?:ciamlogin|b2clogin)\.com)\//i

const guid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

/**
 * Derives the key of a user.
 *
 * @param parts `entra`, the tenant and the object id; or `oidc`, the issuer and the subject.
 * @returns The key: constant, and unique among all users.
 * @example
 * toUserKey('oidc', 'https://sign-in.example', 'alice')
 */
export function toUserKey(...parts: [kind: 'entra' | 'oidc', realm: string, id: string]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url')
}

/**
 * Derives the keys of a user's row. There are 256 partitions, by the first byte of the user's key: a partition for each user
 * would slow Azurite down, a single one Azure.
 *
 * @param userKey Key of the user.
 * @returns The keys.
 * @example
 * toRowKeys(toUserKey('oidc', 'https://sign-in.example', 'alice'))
 */
export function toRowKeys(userKey: string): { readonly partitionKey: string; readonly rowKey: string } {
  return { partitionKey: Buffer.from(userKey.slice(0, 2), 'base64url').toString('hex'), rowKey: userKey }
}

/**
 * Returns the tenant in the URL of an Entra ID issuer.
 *
 * @param issuer URL such as `https://login.microsoftonline.com/<tenant>/v2.0`.
 * @returns The tenant, or undefined if the issuer is not a URL.
 * @example
 * getTenant('https://sts.windows.net/9f4b7c9e-5d2a-4c4e-8d35-1f0f5a1f6b11/')
 */
export function getTenant(issuer: string): string | undefined {
  return URL.parse(issuer)?.pathname.split('/')[1]
}

/**
 * Returns the Entra ID user that a row of the mapping table belongs to, even if its issuer is no longer configured. Recognizes
 * the hosts of Entra ID and, for other hosts, keys of an issuer of kind `entra`.
 *
 * @param row Key, issuer and subject of the row.
 * @returns The user's object id and tenant, or undefined for users of other issuers.
 * @example
 * findEntraUser({ rowKey, issuer: 'https://sign-in.example', subject: 'alice' }) // undefined
 */
export function findEntraUser(row: { readonly rowKey: string; readonly issuer: string; readonly subject: string }) {
  const { rowKey, issuer, subject } = row
  const tenantId = getTenant(issuer) ?? ''
  // With kind `oidc`, the subject is the pairwise `sub` of Entra ID, which is not a GUID.
  if (!guid.test(tenantId) || !guid.test(subject)) return undefined
  const isEntra = entraHost.test(issuer) || rowKey === toUserKey('entra', tenantId, subject)
  return isEntra ? { objectId: subject, tenantId } : undefined
}

/**
 * Returns the immutable id of the resource that an identity belongs to.
 *
 * @param communicationUserId Id of the identity, such as `8:acs:<resource>_<user>`.
 * @returns The GUID in lower case, or an empty text if the id does not contain one.
 * @example
 * getResourceId('8:acs:1B5D4E1C-7C3D-4C33-8F6A-0C9A3C1C8A11_0000000e') // '1b5d4e1c-7c3d-4c33-8f6a-0c9a3c1c8a11'
 */
export function getResourceId(communicationUserId: string): string {
  return /^8:[\w-]+:([\da-f-]{36})_/i.exec(communicationUserId)?.[1]?.toLowerCase() ?? ''
}
