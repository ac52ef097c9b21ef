import { conformanceCases } from '../conformance.ts'
import type { DeployedService } from './deployed-service.ts'
import { secondVariable, type TestPrincipal } from './test-principals.ts'

export interface CheckOptions {
  readonly service: DeployedService
  readonly principals: readonly TestPrincipal[]
  readonly allowedOrigin: string | undefined
  /** Permits the deletion of identities that exist before the check. */
  readonly canDeleteIdentities: boolean
  readonly signal: AbortSignal
  /** Prints a line of the report. */
  readonly print: (line: string) => void
}

/** Runs the conformance suite as the test principals and deletes their identities. Throws if a case fails. */
export async function checkTokenService(options: CheckOptions): Promise<void> {
  const { service, principals, allowedOrigin, signal, print } = options
  await service.assertTokenService()
  await deleteOldIdentities(options)

  const [first, second] = principals
  const cases = conformanceCases({
    url: service.url,
    fetch: service.fetch,
    getSignInToken: (user) => (user.startsWith('bob-') ? second : first)!.token,
    ...(allowedOrigin !== undefined && { allowedOrigin }),
  })
  const counts = { ok: 0, failed: 0, skipped: 0 }
  const report = (result: keyof typeof counts, text: string) => {
    counts[result]++
    print(`  ${result.padEnd(10)}${text}`)
  }
  const runCase = (name: string, run: () => Promise<void>) =>
    run().then(
      () => report('ok', name),
      (error: unknown) => report('failed', `${name}: ${(error as Error).message}`),
    )

  print(`${service.url}, as ${second ? 'two test principals' : 'one test principal'}`)
  for (const { name, users, run } of cases) {
    if (signal.aborted) break
    if (users === 2 && !second) report('skipped', `${name}: set ${secondVariable} to a token of another principal`)
    else await runCase(name, run)
  }
  if (allowedOrigin === undefined) report('skipped', 'access from pages: pass --origin with an allowed origin')
  await runCase('leaves no identity behind', async () => {
    const deletions = principals.map((principal) => service.deleteIdentity(principal))
    await Promise.allSettled(deletions)
    await Promise.all(deletions)
  })
  signal.throwIfAborted()
  print(`${counts.ok} ok, ${counts.failed} failed, ${counts.skipped} skipped`)
  if (counts.failed > 0) throw new Error(`${service.url} does not conform: ${counts.failed} checks failed`)
}

/** Throws if a principal has an identity that may not be deleted. */
async function deleteOldIdentities({ service, principals, canDeleteIdentities }: CheckOptions): Promise<void> {
  const known: TestPrincipal[] = []
  for (const principal of principals) if (await service.hasIdentity(principal)) known.push(principal)
  if (known.length > 0 && !canDeleteIdentities) {
    const variables = known.map(({ variable }) => variable).join(' and ')
    throw new Error(
      `principal in ${variables} already has an identity: use new test principals, or pass --delete-identities to delete it`,
    )
  }
  for (const principal of known) await service.deleteIdentity(principal)
}
