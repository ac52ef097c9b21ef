import type { Hostnames } from '../hostnames.ts'
import type { RawRequest, RawResponse } from '../raw-request.ts'
import { isAllowedRedirect } from './clients.ts'
import { signedOutPage } from './sign-in-page.ts'

/** Responds to a sign-out: redirects to the requested address if it may receive codes, or shows a page. */
export function signOut({ query }: RawRequest, hostnames: Hostnames): RawResponse {
  const uri = query.get('post_logout_redirect_uri') ?? undefined
  if (!isAllowedRedirect(uri, hostnames)) return signedOutPage()
  const url = new URL(uri)
  const state = query.get('state')
  if (state !== null) url.searchParams.set('state', state)
  return { status: 302, headers: { Location: url.href } }
}
