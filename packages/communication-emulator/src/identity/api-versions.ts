import type { RawRequest } from '../raw-request.ts'
import { ServiceError } from './errors.ts'

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
  '2022-09-01',
  '2022-10-01',
  '2023-08-01',
  '2023-10-01',
  '2025-03-02-preview',
  '2025-04-01-preview',
  '2025-06-30',
  '2026-07-22',
  '2026-09-23',
] as const

export type ApiVersion = (typeof identityApiVersions)[number]

/** Api-versions that the emulator serves, but the service does not list in `api-supported-versions`. */
const unlistedApiVersions = new Set<ApiVersion>([
  // differs(retired-versions)
  '2021-02-22-preview1',
  '2021-03-31-preview1',
  '2025-04-01-preview',
  // guess(unlisted-versions)
  '2022-09-01',
  '2023-08-01',
  '2026-07-22',
])

/** Unpublished api-version that the service lists for its identity routes: served as 2021-03-07, without the Teams exchange. */
// guess(undescribed-version)
export const undescribedApiVersion = '2021-11-01'

/** The only version with flat bodies, `/token`, and revocation with PATCH. */
export const firstApiVersion = '2020-07-20-preview2'

/** The only version in which the creation of an identity is repeatable. */
export const repeatableApiVersion = '2023-08-01'

/** The only version with `customId`, `GET /identities/{id}` and `/access/entra`; later versions dropped all three. */
export const entraUsersApiVersion = '2025-03-02-preview'

export function isSince(version: ApiVersion, first: ApiVersion): boolean {
  return identityApiVersions.indexOf(version) >= identityApiVersions.indexOf(first)
}

/**
 * Returns the value of the header `api-supported-versions` for a route.
 * Source: Azure/azure-sdk-assets, recordings of April 2025; those of the Teams exchange date from October 2023.
 */
// guess(version-header)
export function formatSupportedVersions(served: readonly ApiVersion[]): string {
  return served.filter((version) => !unlistedApiVersions.has(version)).join(', ')
}

/** Returns the api-version of a request to a route that has `versions`. Throws the service's error. */
export function readApiVersion(request: RawRequest, versions: readonly ApiVersion[]): ApiVersion {
  const requested = [...new Set(request.query.getAll('api-version'))]
  const [only] = requested
  // guess(api-version-missing): the response of the web framework that the service's other texts come from.
  if (only === undefined || only === '') {
    throw new ServiceError(400, 'ApiVersionUnspecified', 'An API version is required, but was not specified.')
  }
  if (requested.length > 1) {
    throw new ServiceError(
      400,
      'AmbiguousApiVersion',
      `The following API versions were requested: ${requested.join(', ')}. At most, only a single API version may be specified. Please update the intended API version and retry the request.`,
    )
  }
  const version = versions.find((candidate) => candidate === only.toLowerCase())
  if (version) return version
  const uri = `https://${request.headers.host ?? ''}${request.path}`
  throw new ServiceError(
    400,
    'UnsupportedApiVersion',
    `The HTTP resource that matches the request URI '${uri}' does not support the API version '${only}'.`,
    {
      innererror: { code: 'ServedApiVersions', message: `The emulator serves this route in ${versions.join(', ')}.` },
    },
  )
}
