import { hash } from 'node:crypto'
import type { RawResponse } from '../raw-request.ts'

const suggestedUsers = ['alice', 'bob', 'carol']

const style = `
  :root { color-scheme: light dark; --accent: light-dark(#4351d0, #9aa5ff); --card: light-dark(#fff, #15171d); --line: light-dark(#e3e5ea, #282b34); --border: light-dark(#8b909c, #6b7180); --faint: light-dark(#5b6170, #9ba2b1) }
  * { box-sizing: border-box }
  body { font: 15px/1.5 system-ui, sans-serif; margin: 0; padding: clamp(1rem, 8vh, 5rem) 1rem; color: light-dark(#17191f, #eceef3); background: light-dark(#f7f8fa, #0d0e12); overflow-wrap: anywhere }
  main { max-width: 26rem; margin: auto; padding: 1.5rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--card) }
  .brand { display: flex; align-items: center; gap: .5rem; margin: 0 0 1.25rem; font-weight: 600 }
  svg { width: 1.5rem; fill: var(--accent); stroke: var(--card); stroke-width: 1.6; stroke-linecap: round }
  h1 { font-size: 1.35rem; line-height: 1.25; margin: 0 }
  p.faint { color: var(--faint); margin: .25rem 0 1.25rem; font-size: .9rem }
  form + p.faint { margin: 1.25rem 0 0; padding-top: 1rem; border-top: 1px solid var(--line) }
  .users { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem }
  label { display: block; margin: 1rem 0 .25rem; font-size: .9rem }
  input, button { font: inherit; width: 100%; min-height: 2.5rem; padding: .3rem .75rem; border: 1px solid var(--border); border-radius: .45rem; color: inherit; background: var(--card) }
  button { font-weight: 500; cursor: pointer }
  button.main { margin-top: 1rem; border-color: var(--accent); background: var(--accent); color: var(--card) }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
`

/** `form-action` also covers the redirects that follow a form; `hosts` may receive them, in addition to loopback names. */
function createContentSecurityPolicy(hosts: readonly string[]): string {
  const targets = ['localhost', '*.localhost', '127.0.0.1', ...hosts].map(
    (host) => `http://${host}:* https://${host}:*`,
  )
  return [
    "default-src 'none'",
    `style-src 'sha256-${hash('sha256', style, 'base64')}'`,
    `form-action 'self' ${targets.join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Application that requests a sign-in. */
interface Application {
  readonly name: string
  readonly clientId: string
  readonly origin: string
}

interface SignInPageOptions {
  /** Suggested name of the user. */
  readonly hint: string
  readonly application: Application
  /** Names that the application may have, in addition to loopback names. */
  readonly hosts: readonly string[]
}

/** Page that asks for the user's name. Its form is sent to the page's own address. */
export function signInPage({ hint, application, hosts }: SignInPageOptions): RawResponse {
  const { name, clientId, origin } = application
  const buttons = suggestedUsers.map((user) => `<button name="pick" value="${user}">${user}</button>`)
  return page(
    200,
    `Sign in to ${name}`,
    `<p class="faint">${escape(origin)}, application ${escape(clientId)}</p>
    <form method="post" class="users" aria-label="Sign in as">${buttons.join('')}</form>
    <form method="post">
      <label for="user">Another user (any name)</label>
      <input id="user" name="user" value="${escape(hint)}" required maxlength="200" autocomplete="off" autofocus>
      <label for="roles">App roles (optional, separated by spaces)</label>
      <input id="roles" name="roles" maxlength="500" autocomplete="off">
      <button class="main">Sign in</button>
    </form>
    <p class="faint">This is the sign-in page of the <strong>acs-kit emulator</strong> on this machine. It stands in for Microsoft Entra ID, needs no password, and gives no access to Azure.</p>`,
    hosts,
  )
}

/** Page for an error that must not be sent to the application, since its address is not trusted. */
export function errorPage(message: string): RawResponse {
  return page(400, 'Sign-in failed', `<p>${escape(message)}</p>`)
}

export function signedOutPage(): RawResponse {
  return page(200, 'Signed out', '<p>The emulator has no sessions: you are signed out.</p>')
}

function page(status: number, title: string, body: string, hosts: readonly string[] = []): RawResponse {
  return {
    status,
    headers: {
      'Content-Security-Policy': createContentSecurityPolicy(hosts),
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
    <p class="brand"><svg viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="7" stroke="none"/><path d="M8 4v4l3 2" fill="none"/></svg>acs-kit emulator</p>
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
