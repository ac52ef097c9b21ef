import { hash } from 'node:crypto'
import type { RawResponse } from '../raw-request.ts'

const suggestedUsers = ['alice', 'bob', 'carol']

const style = `
  :root { color-scheme: light dark; --link: light-dark(#0b57d0, #9cc0ff) }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 3rem auto; padding: 0 1rem; color: light-dark(#222, #e6e6ea); background: light-dark(#fff, #16181f) }
  h1 { font-size: 1.4rem }
  p.note { border-left: 4px solid light-dark(#b35c00, #ffb35c); padding: .25rem .75rem; background: light-dark(#fff6ec, #2b2419) }
  label { display: block; margin: 1rem 0 .25rem }
  input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; border: 1px solid #777; border-radius: 4px }
  button { font: inherit; padding: .5rem 1rem; margin: 1rem .5rem 0 0; border: 1px solid var(--link); border-radius: 4px; background: none; color: var(--link); cursor: pointer }
  button.main { background: var(--link); color: light-dark(#fff, #16181f) }
`

/** Redirects after a form count as its target. */
const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', style, 'base64')}'`,
  "form-action 'self' http://localhost:* http://127.0.0.1:* https://localhost:* https://127.0.0.1:*",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Asks who is signing in. The form goes back to the address of the page. */
export function signInPage({ hint, application }: { hint: string; application: string }): RawResponse {
  const buttons = suggestedUsers.map((user) => `<button name="pick" value="${user}">${user}</button>`)
  return page(
    200,
    'Sign in',
    `<p class="note">This is the sign-in of an <strong>emulator</strong> on this machine. It asks for no password, and opens nothing else.</p>
    <p>The application <code>${escape(application)}</code> wants to know who you are.</p>
    <form method="post" aria-label="Sign in as">${buttons.join('')}</form>
    <form method="post">
      <label for="user">or as somebody else</label>
      <input id="user" name="user" value="${escape(hint)}" required maxlength="200" autocomplete="off" autofocus>
      <label for="roles">with these app roles (optional, separated by spaces)</label>
      <input id="roles" name="roles" maxlength="500" autocomplete="off">
      <button class="main">Sign in</button>
    </form>`,
  )
}

/** For what can't be told to the application, since nobody vouches for its address. */
export function errorPage(message: string): RawResponse {
  return page(400, 'This sign-in can’t go on', `<p>${escape(message)}</p>`)
}

export function signedOutPage(): RawResponse {
  return page(200, 'Signed out', '<p>The emulator keeps no sign-in: there was nothing to end.</p>')
}

function page(status: number, title: string, body: string): RawResponse {
  return {
    status,
    headers: {
      'Content-Security-Policy': contentSecurityPolicy,
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    },
    html: `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title} - acs-kit emulator</title>
  <style>${style}</style>
  <main>
    <h1>${title}</h1>
    ${body}
  </main>
</html>
`,
  }
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
