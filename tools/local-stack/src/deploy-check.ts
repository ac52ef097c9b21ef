// `pnpm deploy:check <url>`: the client's conformance suite against a service that runs anywhere, as throw-away principals,
// since the cases delete their identities.
import { parseArgs } from 'node:util'
import { isOrigin } from '@acs-kit/service-settings'
import { conformanceCases } from '@acs-kit/token-client/conformance'
import { DeployedService } from './deployed-service.ts'
import { runProgram } from './run-program.ts'
import { otherVariable, readPrincipals, type ThrowAwayPrincipal } from './throw-away-principals.ts'

const usage = 'pnpm deploy:check https://<service> [--origin https://<app>] [--delete-identities]'

async function main(signal: AbortSignal): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { origin: { type: 'string' }, 'delete-identities': { type: 'boolean', default: false } },
  })
  const [address, ...more] = positionals
  if (address === undefined || more.length > 0) throw new Error(`give one address: ${usage}`)
  if (values.origin !== undefined && !isOrigin(values.origin))
    throw new Error('--origin must be as browsers send it, such as https://app.example.com, without a path')
  const service = new DeployedService(address, {
    signal,
    onWait: (seconds) => note(`waiting ${seconds} s, as the service asks those who come too often`),
  })
  const principals = readPrincipals(process.env)
  await service.expectTokenService()
  await makeFresh(service, principals, values['delete-identities'])
  await check(service, principals, values.origin, signal)
}

/** Nobody loses an identity by mistake. */
async function makeFresh(service: DeployedService, principals: ThrowAwayPrincipal[], mayDelete: boolean) {
  const known: ThrowAwayPrincipal[] = []
  for (const principal of principals) if (await service.hasIdentity(principal)) known.push(principal)
  if (known.length > 0 && !mayDelete) {
    const names = known.map(({ variable }) => variable).join(' and ')
    throw new Error(
      `the principal in ${names} has an identity, which this would delete: sign in as somebody new, or give --delete-identities`,
    )
  }
  for (const principal of known) await service.deleteIdentity(principal)
}

async function check(
  service: DeployedService,
  principals: ThrowAwayPrincipal[],
  allowedOrigin: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const [principal, other] = principals
  const cases = conformanceCases({
    url: service.url,
    fetch: service.fetch,
    getSignInToken: (user) => (user.startsWith('bob-') ? other : principal)!.token,
    ...(allowedOrigin !== undefined && { allowedOrigin }),
  })
  const counts = { ok: 0, failed: 0, 'left out': 0 }
  const tell = (outcome: keyof typeof counts, text: string) => {
    counts[outcome]++
    print(`  ${outcome.padEnd(10)}${text}`)
  }
  const tryOut = (name: string, run: () => Promise<void>) =>
    run().then(
      () => tell('ok', name),
      (error: unknown) => tell('failed', `${name}: ${(error as Error).message}`),
    )

  print(`${service.url}, as ${other ? 'two throw-away principals' : 'one throw-away principal'}`)
  for (const { name, users, run } of cases) {
    if (signal.aborted) break
    if (users === 2 && !other) tell('left out', `${name}: it takes a second principal, in ${otherVariable}`)
    else await tryOut(name, run)
  }
  if (allowedOrigin === undefined) tell('left out', 'what pages need: it takes --origin, one that the service allows')
  await tryOut('no identity is left behind', async () => {
    const deletions = principals.map((each) => service.deleteIdentity(each))
    await Promise.allSettled(deletions)
    await Promise.all(deletions)
  })
  signal.throwIfAborted()
  print(`${counts.ok} ok, ${counts.failed} failed, ${counts['left out']} left out`)
  if (counts.failed > 0) throw new Error(`${service.url} is not all that the client needs`)
}

function note(text: string): void {
  process.stderr.write(`acs-kit: ${clean(text)}\n`)
}

function print(text: string): void {
  process.stdout.write(`${clean(text)}\n`)
}

/** Whatever a service answers may end up in a message: no token of it is shown, and nothing that steers a terminal. */
function clean(text: string): string {
  return text.replaceAll(/eyJ[\w-]*(?:\.[\w-]*)*/g, '<token>').replaceAll(/\p{Cc}/gu, ' ')
}

await runProgram((signal) =>
  main(signal).catch((error: unknown) => {
    throw new Error(clean((error as Error).message), { cause: error })
  }),
)
