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

/** `form-action` also covers the redirects that follow a form. */
const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', style, 'base64')}'`,
  `form-action 'self' ${['localhost', '*.localhost', '127.0.0.1'].map((host) => `http://${host}:* https://${host}:*`).join(' ')}`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Page that asks for the user's name. Its form is sent to the page's own address. */
export function signInPage({ hint, application }: { hint: string; application: string }): RawResponse {
  const buttons = suggestedUsers.map((user) => `<button name="pick" value="${user}">${user}</button>`)
  return page(
    200,
    'Sign in',
    `<p class="note">This is the sign-in page of the <strong>acs-kit emulator</strong> on this machine. It stands in for Microsoft Entra ID, needs no password, and gives no access to Azure.</p>
    <p>The application <code>${escape(application)}</code> requests your sign-in. Choose a user:</p>
    <form method="post" aria-label="Sign in as">${buttons.join('')}</form>
    <form method="post">
      <label for="user">Another user (any name)</label>
      <input id="user" name="user" value="${escape(hint)}" required maxlength="200" autocomplete="off" autofocus>
      <label for="roles">App roles (optional, separated by spaces)</label>
      <input id="roles" name="roles" maxlength="500" autocomplete="off">
      <button class="main">Sign in</button>
    </form>`,
  )
}

/** Page for an error that must not be sent to the application, since its address is not trusted. */
export function errorPage(message: string): RawResponse {
  return page(400, 'Sign-in failed', `<p>${escape(message)}</p>`)
}

export function signedOutPage(): RawResponse {
  return page(200, 'Signed out', '<p>The emulator has no sessions: you are signed out.</p>')
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
