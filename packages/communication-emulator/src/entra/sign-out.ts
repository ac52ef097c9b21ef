import type { RawRequest, RawResponse } from '../raw-request.ts'
import { isAllowedRedirect } from './clients.ts'
import { signedOutPage } from './sign-in-page.ts'

/** Responds to a sign-out: redirects to the requested address on this machine, or shows a page. */
export function signOut({ query }: RawRequest): RawResponse {
  const uri = query.get('post_logout_redirect_uri') ?? undefined
  if (!isAllowedRedirect(uri)) return signedOutPage()
  const url = new URL(uri)
  const state = query.get('state')
  if (state !== null) url.searchParams.set('state', state)
  return { status: 302, headers: { Location: url.href } }
}
