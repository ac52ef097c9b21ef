import { errorResponse } from '../error-response.ts'
import { InvalidSettingError } from '../invalid-setting-error.ts'
import type { RawRequest, RawResponse } from '../raw-request.ts'
import { administrationPath, findRejection, getCorsHeaders, type AdministrationAccess } from './access.ts'
import { handleAdministration } from './administration-routes.ts'
import type { Administration } from './administration.ts'

/** Headers of every response: its content changes, is not a page's own, and must not be interpreted as anything else. */
const safetyHeaders = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

export function isAdministration({ path }: RawRequest): boolean {
  return `${path}/`.startsWith(administrationPath)
}

/** Performs the administration over HTTP, for the page of the emulator and for tests in other processes and languages. */
export async function administer(
  emulator: Administration,
  access: AdministrationAccess,
  request: RawRequest,
): Promise<RawResponse> {
  const response = findRejection(request, access) ?? (await respond(emulator, request))
  return { ...response, headers: { ...safetyHeaders, ...response.headers } }
}

async function respond(emulator: Administration, request: RawRequest): Promise<RawResponse> {
  const cors = getCorsHeaders(request)
  if (request.method === 'OPTIONS') return { status: 204, headers: cors }
  if (!request.path.startsWith(administrationPath)) return { status: 308, headers: { Location: administrationPath } }
  try {
    const response = await handleAdministration(emulator, request.path.slice(administrationPath.length), request)
    return { ...response, headers: { ...response.headers, ...cors } }
  } catch (error) {
    if (error instanceof InvalidSettingError) return errorResponse(400, 'Rejected', error.message, cors)
    throw error
  }
}
