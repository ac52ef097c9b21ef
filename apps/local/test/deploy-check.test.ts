import { execFile } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Stack } from '../src/stack.ts'

const script = join(import.meta.dirname, '../src/deploy-check.ts')
const open = new AsyncDisposableStack()
const origin = 'https://app.example.com'
let stack: Stack

beforeAll(async () => {
  stack = open.use(await Stack.start({ ports: { emulator: 0, service: 0 } }))
})
afterAll(() => open.disposeAsync())

async function signIn(user: string): Promise<string> {
  return (await stack.emulator.entra.signIn({ user })).accessToken
}

async function check(args: readonly string[], env: Record<string, string> = {}) {
  const done = promisify(execFile)(process.execPath, [script, ...args], {
    env: { PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: stack.emulator.caPath, ...env },
  })
  const {
    code = 0,
    stdout,
    stderr,
  } = (await done.catch((error: unknown) => error)) as {
    code?: number
    stdout: string
    stderr: string
  }
  for (const token of Object.values(env)) expect(stdout + stderr).not.toContain(token)
  return { code, stdout, stderr }
}

it('runs every case that it has principals for, says which it left out, and leaves no identity', async () => {
  const both = { SIGN_IN_TOKEN: await signIn('throw-away'), SIGN_IN_TOKEN_OTHER: await signIn('another') }
  const whole = await check([stack.service.url], both)
  expect(whole).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^All 12 cases passed/m) })
  expect(whole.stdout.match(/left out/g)).toEqual(['left out'])
  const single = await check([`${stack.service.url}/`], { SIGN_IN_TOKEN: await signIn('third') })
  expect(single).toMatchObject({ code: 0, stdout: expect.stringMatching(/^All 10 cases passed/m) })
  expect(single.stdout).toMatch(/left out: nobody can be somebody else \(SIGN_IN_TOKEN_OTHER/)
  expect(stack.emulator.identities()).toEqual([])
})

it('looks at what pages need when it is told the origin of one', async () => {
  const { code, stdout, stderr } = await check([stack.service.url, '--origin', origin], {
    SIGN_IN_TOKEN: await signIn('bob'),
  })
  expect(code).toBe(1)
  expect(stdout).toMatch(/FAILED .*pages of an allowed origin may call.*Access-Control-Allow-Origin/)
  expect(stderr).toBe('acs-kit: 1 of 12 cases failed\n')
})

it('deletes nobody’s identity unless it is told to', async () => {
  const token = await signIn('alice')
  const headers = { Authorization: `Bearer ${token}` }
  const { communicationUserId } = (await (
    await fetch(new URL('/v1/token', stack.service.url), { method: 'POST', headers })
  ).json()) as { communicationUserId: string }
  const refused = await check([stack.service.url], { SIGN_IN_TOKEN: token })
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^acs-kit: the principal of SIGN_IN_TOKEN has an identity/),
  })
  expect(stack.emulator.identities().map((identity) => identity.communicationUserId)).toEqual([communicationUserId])
  expect((await check([stack.service.url, '--delete-identities'], { SIGN_IN_TOKEN: token })).code).toBe(0)
  expect(stack.emulator.identities()).toEqual([])
})

it('names what a service does wrong', async () => {
  // In front of a service that does it right.
  const forward = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = 'GET', url = '/', headers } = request
    const body = await text(request)
    const answer = await fetch(new URL(url, stack.service.url), {
      method,
      headers: Object.entries(headers).filter((entry): entry is [string, string] =>
        /^(?:auth|content-type)/.test(entry[0]),
      ),
      ...(body !== '' && { body }),
    })
    const type = answer.headers.get('Content-Type') ?? ''
    response.writeHead(answer.status, { 'Content-Type': type, 'Cache-Control': 'public' }).end(await answer.text())
  }
  await using server = await listenLocally(createServer((request, response) => void forward(request, response)))
  const { code, stdout } = await check([`http://127.0.0.1:${server.port}`], {
    SIGN_IN_TOKEN: await signIn('carol'),
  })
  expect(code).toBe(1)
  expect(stdout).toMatch(/FAILED .*nothing is kept on the way.*: expected Cache-Control no-store, got "public"/)
  expect(stdout).toMatch(/^ {2}ok .*a token is of the user/m)
})

it.each<[string, string[], Record<string, string>, string]>([
  ['no address', [], {}, 'write pnpm deploy:check <url>, such as https://tokens.example.com'],
  ['what is no address', ['tokens'], {}, 'write pnpm deploy:check <url>'],
  ['plain http to elsewhere', ['http://tokens.example.com'], {}, 'http://tokens.example.com is plain http'],
  ['no token', ['https://tokens.example.com'], {}, 'SIGN_IN_TOKEN is missing'],
  ['nobody there', ['http://127.0.0.1:1'], { SIGN_IN_TOKEN: 'x.y.z' }, 'nothing answers at http://127.0.0.1:1: '],
])('refuses %s in a line', async (_name, args, env, message) => {
  const { code, stdout, stderr } = await check(args, env)
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^acs-kit: [^\n]*\n$/)
  expect(stderr).toContain(message)
})

it('refuses what is no token service, and a token that is refused', async () => {
  const elsewhere = await check([stack.emulator.endpoint], { SIGN_IN_TOKEN: await signIn('x') })
  expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringMatching(/^acs-kit: no token service answers at /) })
  const wrong = await check([stack.service.url], { SIGN_IN_TOKEN: 'x.y.z' })
  expect(wrong).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^acs-kit: the service refuses the token in SIGN_IN_TOKEN: /),
  })
})
