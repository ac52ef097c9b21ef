import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { conformanceCases } from '@acs-kit/token-client/conformance'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Backend } from '../src/backend.ts'
import type { TokenServiceProcess } from '../src/token-service-process.ts'
import { startAlteringProxy } from './altering-proxy.ts'

const tokenClient = fileURLToPath(new URL('.', import.meta.resolve('@acs-kit/token-client')))
const script = join(tokenClient, 'check-token-service/bin.ts')
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

/** Runs the command. Returns its output, which must not contain a token, and its exit code. */
async function runCheck(args: readonly string[], first?: string, other?: string) {
  const tokens = { ...(first && { SIGN_IN_TOKEN: first }), ...(other && { SIGN_IN_TOKEN_OTHER: other }) }
  const { stdout, stderr, code } = (await run(process.execPath, [script, ...args], {
    env: { ...env, ...tokens },
  }).catch((error: unknown) => error)) as { stdout: string; stderr: string; code?: number }
  for (const secret of Object.values(tokens)) expect(`${stdout}${stderr}`).not.toContain(secret)
  expect(`${stdout}${stderr}`).not.toContain('eyJ')
  const lines = stdout.split('\n')
  const getCases = (result: string) =>
    lines.filter((line) => line.startsWith(`  ${result} `)).map((line) => line.slice(12))
  const cases = { ok: getCases('ok'), failed: getCases('failed'), skipped: getCases('skipped') }
  return { ...cases, last: lines.at(-2), stdout, stderr, code }
}

it('passes all cases as two principals and leaves no identity', async () => {
  const result = await runCheck([stack.service.url, '--origin', origin], await signIn('one'), await signIn('two'))
  expect(result).toMatchObject({ ok: [...caseNames, 'leaves no identity behind'], failed: [], skipped: [] })
  expect(result).toMatchObject({ last: '15 ok, 0 failed, 0 skipped', stderr: '', code: undefined })
})

it('skips cases without a second principal and retries when rate limited', async () => {
  const rejectedOnce = new Set<string>()
  await using proxy = await startAlteringProxy(stack.service.url, ({ method, url }) => {
    if (rejectedOnce.has(`${method} ${url}`)) return undefined
    rejectedOnce.add(`${method} ${url}`)
    return { status: 429, headers: { ...problem, 'Retry-After': '1' }, body: '{"status":429,"code":"rate-limited"}' }
  })
  const result = await runCheck([proxy.url], await signIn('alone'))
  expect(result.skipped).toEqual([
    'keeps the identity of a user and gives another user another one: set SIGN_IN_TOKEN_OTHER to a token of another principal',
    'never issues a token for the identity of another user: set SIGN_IN_TOKEN_OTHER to a token of another principal',
    'access from pages: pass --origin with an allowed origin',
  ])
  expect(result).toMatchObject({ failed: [], last: '11 ok, 0 failed, 3 skipped', code: undefined })
  expect(rejectedOnce.size).toBeGreaterThan(3)
  expect(result.stderr).toContain('check-token-service: rate limited, retrying in 1 s')
})

it('deletes identities that exist before the check only with --delete-identities', async () => {
  const [user, other] = [await signIn('user'), await signIn('other')]
  const issued = await fetch(`${stack.service.url}/v1/token`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${user}` },
  })
  const { communicationUserId } = (await issued.json()) as { communicationUserId: string }
  const rejected = await runCheck([stack.service.url], other, user)
  expect(rejected).toMatchObject({ stdout: '', code: 1 })
  expect(rejected.stderr).toMatch(
    /^check-token-service: principal in SIGN_IN_TOKEN_OTHER already has an identity: .*\n$/,
  )
  expect(stack.emulator.identities().map((identity) => identity.communicationUserId)).toEqual([communicationUserId])
  const permitted = await runCheck([stack.service.url, '--delete-identities'], user)
  expect(permitted).toMatchObject({ failed: [], code: undefined })
})

it('reports the cases that a broken service fails', async () => {
  // The service even repeats the token.
  await using proxy = await startAlteringProxy(stack.service.url, ({ url, headers }) =>
    url === '/v1/token/revoke' && headers.authorization?.includes('.eyJ')
      ? { status: 500, headers: problem, body: JSON.stringify({ status: 500, code: `a\n${headers.authorization}` }) }
      : undefined,
  )
  const { ok, failed, last, stderr, code } = await runCheck([proxy.url], await signIn('third'), await signIn('fourth'))
  expect(failed).toEqual([
    'issues a new token for the same identity after a revocation: ' +
      String.raw`POST /v1/token/revoke: expected status 204 or 202, got 500 with code "a\nBearer <token>"`,
  ])
  expect(ok).toHaveLength(12)
  expect(last).toBe('12 ok, 1 failed, 1 skipped')
  expect({ stderr, code }).toEqual({
    stderr: `check-token-service: ${proxy.url} does not conform: 1 checks failed\n`,
    code: 1,
  })
})

it('reports an identity that it cannot delete', async () => {
  await using proxy = await startAlteringProxy(stack.service.url, ({ method, headers }) =>
    method === 'DELETE' && headers.authorization?.includes('.eyJ') ? { status: 500 } : undefined,
  )
  const token = await signIn('left')
  const { failed, code } = await runCheck([proxy.url], token)
  expect(failed.at(-1)).toMatch(/^leaves no identity behind: .* in SIGN_IN_TOKEN may still exist: .* 500$/)
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
  let output = ''
  await using check = ServerProcess.launch({
    script,
    args: [proxy.url],
    env: { ...env, SIGN_IN_TOKEN: await signIn('hurried') },
    onOutput: (text) => (output += text),
  })
  await expect.poll(() => output).toContain('retrying in 60 s')
  expect(stack.emulator.identities()).toHaveLength(1)
  process.kill(check.pid, 'SIGINT')
  expect(await check.exit()).toBe(1)
  expect(output).toContain('  ok        leaves no identity behind\n')
  expect(output).toMatch(/check-token-service: interrupted\n$/)
})

describe('in one line', () => {
  async function getError(args: readonly string[], first?: string, other?: string): Promise<string> {
    const { stdout, stderr, code } = await runCheck(args, first, other)
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
    return /^check-token-service: (.*)\n$/.exec(stderr)?.[1] ?? stderr
  }

  it('reports an invalid argument', async () => {
    const token = await signIn('one')
    expect(await getError([], token)).toMatch(/^expected one URL: run check-token-service https:/)
    expect(await getError(['tokens.example.com'], token)).toMatch(/^invalid URL tokens\.example\.com: /)
    expect(await getError(['localhost:8080'], token)).toMatch(/^invalid URL localhost:8080: /)
    expect(await getError(['http://192.0.2.1'], token)).toMatch(/^insecure URL http:\/\/192\.0\.2\.1: use https/)
    expect(await getError(['http://localhost.example.com'], token)).toContain('insecure URL')
    expect(await getError(['https://me:hidden@example.com'], token)).toMatch(/^invalid URL: remove user, password/)
    expect(await getError(['http://127.0.0.1:1'], token)).toMatch(/is unreachable: bad port$/)
    expect(await getError([stack.service.url, '--origin', `${origin}/`], token)).toMatch(/^--origin is not an origin: /)
    expect(await getError([stack.service.url, '--orign', origin], token)).toMatch(/^Unknown option '--orign'/)
  })

  it('reports a URL that is not a token service, before it sends a token', async () => {
    const token = await signIn('one')
    const sent: unknown[] = []
    let response = { status: 200, headers: { 'Content-Type': 'text/html' } }
    const proxy = await startAlteringProxy('', ({ headers }) => {
      sent.push(headers.authorization)
      return response
    })
    expect(await getError([proxy.url], token)).toBe(
      `${proxy.url} is not a token service (got 200 text/html): check the URL`,
    )
    response = { ...response, status: 503 }
    expect(await getError([proxy.url], token)).toMatch(/\(got 503 text\/html\): check whether the service is running$/)
    expect(sent).toEqual([undefined, undefined])
    await proxy[Symbol.asyncDispose]()
    expect(await getError([proxy.url], token)).toBe(`${proxy.url} is unreachable: connection refused`)
  })

  it('reports an invalid token', async () => {
    const { url } = stack.service
    const token = await signIn('one')
    expect(await getError([url])).toMatch(/^SIGN_IN_TOKEN is missing: set it to /)
    expect(await getError([url], undefined, token)).toMatch(/^SIGN_IN_TOKEN is missing: set it to /)
    expect(await getError([url], `"${token}"`)).toMatch(/^SIGN_IN_TOKEN is not a JWT: pass the bare access token/)
    expect(await getError([url], token, await signIn('one', 30))).toMatch(
      /^SIGN_IN_TOKEN and SIGN_IN_TOKEN_OTHER belong to the same principal/,
    )
    expect(await getError([url], token, await signIn('two', -10))).toBe(
      'token in SIGN_IN_TOKEN_OTHER has expired: sign in again',
    )
    const { accessToken } = await stack.emulator.entra.signIn({ user: 'one', audience: 'api://other' })
    expect(await getError([url], accessToken)).toMatch(
      /^token in SIGN_IN_TOKEN rejected by the service: 401, token-invalid, The token is not for the audience/,
    )
    const weak = await stack.emulator.entra.signIn({ user: 'one', scopes: ['other'] })
    expect(await getError([url], weak.accessToken)).toMatch(/: 403, permission-missing, The token lacks/)
  })
})
