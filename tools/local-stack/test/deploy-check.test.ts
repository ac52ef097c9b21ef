import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { conformanceCases } from '@acs-kit/token-client/conformance'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Backend } from '../src/backend.ts'
import type { TokenServiceProcess } from '../src/token-service-process.ts'
import { startAlteringProxy } from './altering-proxy.ts'

const script = join(import.meta.dirname, '../src/deploy-check.ts')
const run = promisify(execFile)
const origin = 'https://app.example.com'
const problem = { 'Content-Type': 'application/problem+json' }
const caseNames = conformanceCases({ url: '', getSignInToken: () => '', allowedOrigin: origin }).map(({ name }) => name)
const { SIGN_IN_TOKEN: _, SIGN_IN_TOKEN_OTHER: __, ...env } = process.env
const open = new AsyncDisposableStack()
let stack: { readonly emulator: Backend['emulator']; readonly service: TokenServiceProcess }

beforeAll(async () => {
  // All runs here share one address, and thus its limit of bad requests.
  const settings = { ALLOWED_ORIGINS: origin, BAD_REQUESTS_PER_MINUTE: '100000' }
  const backend = open.use(await Backend.start({ settings }))
  stack = { emulator: backend.emulator, service: await backend.startService() }
})
afterEach(() => expect(stack.emulator.identities()).toEqual([]))
afterAll(() => open.disposeAsync())

async function signIn(user: string, lifetimeMinutes = 60): Promise<string> {
  return (await stack.emulator.entra.signIn({ user, lifetimeMinutes })).accessToken
}

/** What a run printed, and its exit code. None shows a token. */
async function deployCheck(args: readonly string[], first?: string, other?: string) {
  const tokens = { ...(first && { SIGN_IN_TOKEN: first }), ...(other && { SIGN_IN_TOKEN_OTHER: other }) }
  const { stdout, stderr, code } = (await run(process.execPath, [script, ...args], {
    env: { ...env, ...tokens },
  }).catch((error: unknown) => error)) as { stdout: string; stderr: string; code?: number }
  for (const secret of Object.values(tokens)) expect(`${stdout}${stderr}`).not.toContain(secret)
  expect(`${stdout}${stderr}`).not.toContain('eyJ')
  const lines = stdout.split('\n')
  const told = (outcome: string) =>
    lines.filter((line) => line.startsWith(`  ${outcome} `)).map((line) => line.slice(12))
  return { ok: told('ok'), failed: told('failed'), leftOut: told('left out'), last: lines.at(-2), stdout, stderr, code }
}

it('passes all cases as two principals, and leaves no identity', async () => {
  const result = await deployCheck([stack.service.url, '--origin', origin], await signIn('one'), await signIn('two'))
  expect(result).toMatchObject({ ok: [...caseNames, 'no identity is left behind'], failed: [], leftOut: [] })
  expect(result).toMatchObject({ last: '15 ok, 0 failed, 0 left out', stderr: '', code: undefined })
})

it('says what one principal leaves out, and comes back when the service asks for that', async () => {
  const refusedOnce = new Set<string>()
  await using proxy = await startAlteringProxy(stack.service.url, ({ method, url }) => {
    if (refusedOnce.has(`${method} ${url}`)) return undefined
    refusedOnce.add(`${method} ${url}`)
    return { status: 429, headers: { ...problem, 'Retry-After': '1' }, body: '{"status":429,"code":"rate-limited"}' }
  })
  const result = await deployCheck([proxy.url], await signIn('alone'))
  expect(result.leftOut).toEqual([
    'keeps the identity of a user and gives another user another one: it takes a second principal, in SIGN_IN_TOKEN_OTHER',
    'never issues a token for the identity of another user: it takes a second principal, in SIGN_IN_TOKEN_OTHER',
    'what pages need: it takes --origin, one that the service allows',
  ])
  expect(result).toMatchObject({ failed: [], last: '11 ok, 0 failed, 3 left out', code: undefined })
  expect(refusedOnce.size).toBeGreaterThan(3)
  expect(result.stderr).toContain('acs-kit: waiting 1 s, as the service asks')
})

it('refuses to delete an identity that was there before, unless it is told to', async () => {
  const [person, other] = [await signIn('person'), await signIn('other')]
  const issued = await fetch(`${stack.service.url}/v1/token`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${person}` },
  })
  const { communicationUserId } = (await issued.json()) as { communicationUserId: string }
  const refused = await deployCheck([stack.service.url], other, person)
  expect(refused).toMatchObject({ stdout: '', code: 1 })
  expect(refused.stderr).toMatch(/^acs-kit: the principal in SIGN_IN_TOKEN_OTHER has an identity, which .*\n$/)
  expect(stack.emulator.identities().map((identity) => identity.communicationUserId)).toEqual([communicationUserId])
  const told = await deployCheck([stack.service.url, '--delete-identities'], person)
  expect(told).toMatchObject({ failed: [], code: undefined })
})

it('names the cases that a broken service fails', async () => {
  // It even repeats what it was sent.
  await using proxy = await startAlteringProxy(stack.service.url, ({ url, headers }) =>
    url === '/v1/token/revoke' && headers.authorization?.includes('.eyJ')
      ? { status: 500, headers: problem, body: JSON.stringify({ status: 500, code: `a\n${headers.authorization}` }) }
      : undefined,
  )
  const { ok, failed, last, stderr, code } = await deployCheck(
    [proxy.url],
    await signIn('third'),
    await signIn('fourth'),
  )
  expect(failed).toEqual([
    'issues a new token for the same identity after a revocation: ' +
      String.raw`POST /v1/token/revoke: expected status 204 or 202, got 500 with code "a\nBearer <token>"`,
  ])
  expect(ok).toHaveLength(12)
  expect(last).toBe('12 ok, 1 failed, 1 left out')
  expect({ stderr, code }).toEqual({ stderr: `acs-kit: ${proxy.url} is not all that the client needs\n`, code: 1 })
})

it('says when an identity is left behind', async () => {
  await using proxy = await startAlteringProxy(stack.service.url, ({ method, headers }) =>
    method === 'DELETE' && headers.authorization?.includes('.eyJ') ? { status: 500 } : undefined,
  )
  const token = await signIn('left')
  const { failed, code } = await deployCheck([proxy.url], token)
  expect(failed.at(-1)).toMatch(/^no identity is left behind: .* in SIGN_IN_TOKEN may still have an identity: .* 500$/)
  expect(code).toBe(1)
  await fetch(`${stack.service.url}/v1/identity`, { method: 'DELETE', headers: { Authorization: `Bearer ${token}` } })
})

it('cleans up when it is interrupted', async () => {
  let tokens = 0
  const utcSeconds = (seconds: number) => new Date(Date.UTC(2026, 0, 5, 8, 0, seconds)).toUTCString()
  await using proxy = await startAlteringProxy(stack.service.url, ({ method, url }) =>
    method === 'POST' && url === '/v1/token' && ++tokens > 2
      ? { status: 429, headers: { Date: utcSeconds(0), 'Retry-After': utcSeconds(60) } }
      : undefined,
  )
  let said = ''
  await using check = ServerProcess.launch({
    script,
    args: [proxy.url],
    env: { ...env, SIGN_IN_TOKEN: await signIn('hurried') },
    onOutput: (text) => (said += text),
  })
  await expect.poll(() => said).toContain('waiting 60 s')
  expect(stack.emulator.identities()).toHaveLength(1)
  process.kill(check.pid, 'SIGINT')
  expect(await check.exit()).toBe(1)
  expect(said).toContain('  ok        no identity is left behind\n')
  expect(said).toMatch(/acs-kit: interrupted\n$/)
})

describe('says in a line what is wrong with', () => {
  async function complaint(args: readonly string[], first?: string, other?: string): Promise<string> {
    const { stdout, stderr, code } = await deployCheck(args, first, other)
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
    return /^acs-kit: (.*)\n$/.exec(stderr)?.[1] ?? stderr
  }

  it('an address', async () => {
    const token = await signIn('one')
    expect(await complaint([], token)).toMatch(/^give one address: pnpm deploy:check https:/)
    expect(await complaint(['tokens.example.com'], token)).toMatch(/^tokens\.example\.com is no address of a service: /)
    expect(await complaint(['localhost:8080'], token)).toMatch(/^localhost:8080 is no address of a service: /)
    expect(await complaint(['http://192.0.2.1'], token)).toMatch(
      /^http:\/\/192\.0\.2\.1 is not encrypted, .*: write https/,
    )
    expect(await complaint(['http://localhost.example.com'], token)).toContain('is not encrypted')
    expect(await complaint(['https://me:hidden@example.com'], token)).toMatch(
      /^the address must have no user, password/,
    )
    expect(await complaint(['http://127.0.0.1:1'], token)).toMatch(/reached: bad port$/)
    expect(await complaint([stack.service.url, '--origin', `${origin}/`], token)).toMatch(
      /^--origin must be as browsers/,
    )
    expect(await complaint([stack.service.url, '--orign', origin], token)).toMatch(/^Unknown option '--orign'/)
  })

  it('what is there, before a token travels', async () => {
    const token = await signIn('one')
    const sent: unknown[] = []
    let answer = { status: 200, headers: { 'Content-Type': 'text/html' } }
    const proxy = await startAlteringProxy('', ({ headers }) => {
      sent.push(headers.authorization)
      return answer
    })
    expect(await complaint([proxy.url], token)).toBe(
      `no token service answers at ${proxy.url}, but something with 200 and text/html; is the address right?`,
    )
    answer = { ...answer, status: 503 }
    expect(await complaint([proxy.url], token)).toMatch(/with 503 and text\/html; is the service up\?$/)
    expect(sent).toEqual([undefined, undefined])
    await proxy[Symbol.asyncDispose]()
    expect(await complaint([proxy.url], token)).toBe(`${proxy.url} can’t be reached: nothing listens there`)
  })

  it('a token', async () => {
    const { url } = stack.service
    const token = await signIn('one')
    expect(await complaint([url])).toMatch(/^there is no sign-in token: set SIGN_IN_TOKEN to /)
    expect(await complaint([url], undefined, token)).toMatch(/^there is no sign-in token: set SIGN_IN_TOKEN to /)
    expect(await complaint([url], `"${token}"`)).toMatch(/^SIGN_IN_TOKEN is no JWT: give the bare access token/)
    expect(await complaint([url], token, await signIn('one', 30))).toMatch(
      /^SIGN_IN_TOKEN and SIGN_IN_TOKEN_OTHER are of/,
    )
    expect(await complaint([url], token, await signIn('two', -10))).toBe(
      'the token in SIGN_IN_TOKEN_OTHER has expired: get a new one',
    )
    const { accessToken } = await stack.emulator.entra.signIn({ user: 'one', audience: 'api://other' })
    expect(await complaint([url], accessToken)).toMatch(
      /^the service refuses the token in SIGN_IN_TOKEN: 401, token-invalid, The token is not for the audience/,
    )
    const weak = await stack.emulator.entra.signIn({ user: 'one', scopes: ['other'] })
    expect(await complaint([url], weak.accessToken)).toMatch(/: 403, permission-missing, The token needs/)
  })
})
