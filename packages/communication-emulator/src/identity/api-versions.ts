/**
 * The api-versions of the identity routes that the emulator serves, oldest first.
 * Source: Azure/azure-rest-api-specs, `specification/communication/data-plane/Identity`.
 */
export const identityApiVersions = [
  '2020-07-20-preview2',
  '2021-02-22-preview1',
  '2021-03-07',
  '2021-03-31-preview1',
  '2021-10-31-preview',
  '2021-11-01',
  '2022-06-01',
  '2022-10-01',
  '2023-10-01',
  '2025-03-02-preview',
  '2025-04-01-preview',
  '2025-06-30',
  '2026-09-23',
] as const

export type ApiVersion = (typeof identityApiVersions)[number]

/** Described, but never seen among those that the service serves in production. */
// guess(unserved-versions)
const unservedApiVersions = ['2022-09-01', '2023-08-01', '2023-08-30-preview', '2026-07-22'] as const

/** Served here, but no longer named by the service in `api-supported-versions`. */
// differs(retired-versions)
const retiredApiVersions = new Set<ApiVersion>(['2021-02-22-preview1', '2021-03-31-preview1', '2025-04-01-preview'])

/** Named by the service for its identity routes but never described: served as 2021-03-07, so without the Teams exchange. */
// guess(undescribed-version)
export const undescribedApiVersion = '2021-11-01'

/** The only version with flat bodies, `/token`, and revocation by PATCH. */
export const firstApiVersion = '2020-07-20-preview2'

/** The only version with `customId` and `GET /identities/{id}`; later ones dropped both. */
export const customIdApiVersion = '2025-03-02-preview'

export function isSince(version: ApiVersion, first: ApiVersion): boolean {
  return identityApiVersions.indexOf(version) >= identityApiVersions.indexOf(first)
}

/**
 * Value of the header `api-supported-versions` for a route.
 * Source: Azure/azure-sdk-assets, recordings of April 2025; those of the Teams exchange are of October 2023.
 */
// guess(version-header)
export function namedApiVersions(served: readonly ApiVersion[]): string {
  return served.filter((version) => !retiredApiVersions.has(version)).join(', ')
}

/** The newest served version that is not newer than an unserved one: what `loose` serves it as. */
export function nearestServed(version: string): ApiVersion | undefined {
  if (!unservedApiVersions.some((unserved) => unserved === version)) return undefined
  return identityApiVersions.findLast((served) => served < version && !served.includes('preview'))
}
