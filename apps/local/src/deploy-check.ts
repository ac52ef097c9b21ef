// `pnpm deploy:check <url>`: whether what is deployed there is a token service as the client wants it. It signs in as somebody
// whose identities may go, since every case deletes them: tokens come from the environment, where no other user can read them.
import { parseArgs } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { conformanceCases } from '@acs-kit/token-client/conformance'
import { runProgram } from './program.ts'
import { Transcript } from './transcript.ts'

const variables = ['SIGN_IN_TOKEN', 'SIGN_IN_TOKEN_OTHER'] as const
type Variable = (typeof variables)[number]

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { origin: { type: 'string' }, 'delete-identities': { type: 'boolean', default: false } },
  })
  const url = readUrl(positionals)
  const tokens = new Map(variables.flatMap((name) => (process.env[name] ? [[name, process.env[name]] as const] : [])))
  if (!tokens.has('SIGN_IN_TOKEN')) {
    throw new Error('SIGN_IN_TOKEN is missing: a sign-in token of somebody whose identity may be deleted')
  }
  for (const [name, token] of tokens) await checkPrincipal(url, name, token, values['delete-identities'])

  const transcript = new Transcript()
  transcript.title(`Token service at ${url.href}`)
  const cases = conformanceCases({
    url,
    getSignInToken: (user) => tokens.get(user.startsWith('bob') ? 'SIGN_IN_TOKEN_OTHER' : 'SIGN_IN_TOKEN')!,
    fetch: patientFetch,
    ...(values.origin !== undefined && { allowedOrigin: values.origin }),
  })
  const possible = cases.filter(({ users }) => users <= tokens.size)
  const failed: string[] = []
  for (const { name, run } of possible) {
    const error = await run().then(
      () => undefined,
      (cause: unknown) => cause as Error,
    )
    if (error) failed.push(name)
    transcript.step(error ? 'FAILED' : 'ok', error ? `${name}: ${error.message}` : name)
  }
  for (const { name } of cases.filter((one) => !possible.includes(one))) {
    transcript.say(`  left out: ${name} (SIGN_IN_TOKEN_OTHER would be the token of a second principal)`)
  }
  if (values.origin === undefined)
    transcript.say('  left out: what pages need (--origin https://app.example.com looks at it)')
  if (failed.length > 0) throw new Error(`${failed.length} of ${possible.length} cases failed`)
  transcript.say(`\nAll ${possible.length} cases passed; the identities that they made are deleted.`)
}

function readUrl(positionals: readonly string[]): URL {
  const [text] = positionals
  if (positionals.length !== 1 || !URL.canParse(text!) || !/^https?:/.test(text!)) {
    throw new Error('write pnpm deploy:check <url>, such as https://tokens.example.com')
  }
  const url = new URL(text!)
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol === 'https:' || isLocal) return url
  throw new Error(`${url.origin} is plain http, over which sign-in tokens would travel in clear: use https`)
}

/** Nobody shall lose an identity by it who did not want to. */
async function checkPrincipal(url: URL, name: Variable, token: string, mayDelete: boolean): Promise<void> {
  const place = new URL('v1/identity', url.href.replace(/\/*$/, '/'))
  const headers = { Authorization: `Bearer ${token}` }
  const answer = await patientFetch(place, { headers }).catch((error: unknown) => {
    const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
    throw new Error(`nothing answers at ${url.origin}: ${code ?? message}`)
  })
  const { code, detail } = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string }
  if (answer.status === 404 && code === 'identity-unknown') return
  if (answer.status === 401 && code !== undefined) {
    throw new Error(`the service refuses the token in ${name}: ${detail ?? code}`)
  }
  if (answer.status !== 200 || code !== undefined) {
    throw new Error(
      `no token service answers at ${url.href}: GET ${place.pathname} is ${answer.status} ${code ?? ''}`.trim(),
    )
  }
  if (mayDelete) return
  throw new Error(
    `the principal of ${name} has an identity, which the check would delete: take a throw-away one, or add --delete-identities`,
  )
}

/** Waits as it is told to where too much is asked. */
async function patientFetch(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
  for (;;) {
    const answer = await fetch(input, init)
    if (answer.status !== 429) return answer
    await sleep(Number(answer.headers.get('Retry-After') ?? 1) * 1000)
  }
}

await runProgram(main)
