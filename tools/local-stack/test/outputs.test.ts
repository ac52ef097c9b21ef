import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startEmulator } from '@acs-kit/communication-emulator'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startDemoServer } from '../src/demo-server.ts'
import { startLocalStack, type LocalStack } from '../src/local-stack.ts'
import { startForeignEnvironment } from './foreign-environment.ts'

const script = join(import.meta.dirname, '../src/print-outputs.ts')
const ports = { emulator: 0, service: 0, demo: 0 }
const run = promisify(execFile)
const open = new AsyncDisposableStack()
let stack: LocalStack

beforeAll(async () => {
  stack = open.use(await startLocalStack({ ports, allowedOrigins: ['https://app.example.com'] }))
})
afterAll(() => open.disposeAsync())

function printOutputs({ demo }: Pick<LocalStack, 'demo'>, args: readonly string[] = [], env = process.env) {
  return run(process.execPath, [script, '--demo-port', new URL(demo!.url).port, ...args], { env })
}

function preflight(origin: string): Promise<Response> {
  const headers = { Origin: origin, 'Access-Control-Request-Method': 'POST' }
  return fetch(`${stack.service.url}/v1/token`, { method: 'OPTIONS', headers })
}

it('prints the public values of the running stack, despite settings of other programs', async () => {
  await using foreign = await startForeignEnvironment()
  const { stdout, stderr } = await printOutputs(stack, [], { ...process.env, ...foreign.variables })
  expect(stderr).toBe('')
  expect(stdout.split('\n')).toEqual([
    `tokenServiceUrl=${stack.service.url}`,
    `communicationEndpoint=${stack.emulator.endpoint.replace(/\/$/, '')}`,
    `signInIssuer=${stack.emulator.entra.issuer}`,
    `signInAuthority=${stack.demo!.url}${stack.emulator.entra.tenantId}/v2.0`,
    'signInClientId=acac0000-0000-4000-8000-000000000002',
    "signInScope='openid profile offline_access api://acs-kit/access_as_user'",
    '',
  ])
})

it('prints the connection string only with --show-secrets, in a form that shells can read', async () => {
  const { stdout } = await printOutputs(stack, ['--show-secrets'])
  const command = `${stdout}\nprintf '%s|%s' "$connectionString" "$signInScope"`
  expect((await run('sh', ['-c', command])).stdout).toBe(
    `${stack.emulator.connectionString}|openid profile offline_access api://acs-kit/access_as_user`,
  )
})

it('explains that a stack was started without Pulumi', async () => {
  await expect(printOutputs(stack, ['--pulumi'])).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^acs-kit: the local stack was started without Pulumi: start it with `npm start -- --keep`/,
    ),
  })
})

it('never prints the key of a resource that is not emulated', async () => {
  await using other = await startEmulator()
  await using named = await startLocalStack({ ports, connectionString: other.connectionString })
  await expect(printOutputs(named, ['--show-secrets'])).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'acs-kit: no connection string to show: the resource is keyless, or it is not emulated\n',
  })
  const { stdout } = await printOutputs(named)
  expect(stdout).toContain(`communicationEndpoint=${new URL(other.endpoint).origin}\n`)
  expect(stdout).not.toContain(other.accessKey)
})

it('names the remedy if no stack runs', async () => {
  await expect(run(process.execPath, [script, '--demo-port', '1'])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^acs-kit: no local stack found on port 1: start one with `npm start -- --keep`.*\n$/,
    ),
  })
})

it('prints nothing that another server on the port responds', async () => {
  const port = new URL(stack.service.url).port
  await expect(run(process.execPath, [script, '--demo-port', port])).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^acs-kit: no local stack found on port/),
  })
})

it('reports a stack that is still starting', async () => {
  await using demo = await startDemoServer(stack.emulator, { port: 0 })
  await expect(printOutputs({ demo })).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'acs-kit: the local stack is still starting: try again\n',
  })
})

it('lets pages of other origins read the metadata of the sign-in, but not the outputs', async () => {
  const headers = { Origin: 'http://localhost:3000' }
  const outputs = await fetch(new URL('outputs.json?secrets&/openid-configuration', stack.demo!.url), { headers })
  expect(outputs.headers.get('Access-Control-Allow-Origin')).toBeNull()
  const { tenantId, issuer } = stack.emulator.entra
  const url = new URL(`${tenantId}/v2.0/.well-known/openid-configuration`, stack.demo!.url)
  const metadata = await fetch(url, { headers })
  expect(metadata.headers.get('Access-Control-Allow-Origin')).toBe('*')
  expect(await metadata.json()).toMatchObject({
    issuer,
    token_endpoint: `${stack.demo!.url}${tenantId}/oauth2/v2.0/token`,
  })
})

it('lets an administrator assign users of Teams Phone extensibility, who then exchange their tokens', async () => {
  const { entra, endpoint } = stack.emulator
  const { oid } = await entra.signIn({ user: 'alice' })
  const administrator = await entra.signIn({ user: 'bob', roles: ['admin'] })
  const url = new URL(`/v1/teams/assignments/${oid}`, stack.service.url)
  const send = (method: string) =>
    fetch(url, { method, headers: { Authorization: `Bearer ${administrator.accessToken}` } })
  const exchange = async () => {
    const user = await entra.signIn({ user: 'alice', audience: 'https://auth.msft.communication.azure.com' })
    const path = 'access/teamsExtension/:exchangeAccessToken?api-version=2025-06-30'
    const headers = { Authorization: `Bearer ${user.accessToken}` }
    return (await fetch(new URL(path, endpoint), { method: 'POST', headers })).status
  }
  expect((await send('PUT')).status).toBe(200)
  expect(await exchange()).toBe(200)
  expect((await send('DELETE')).status).toBe(204)
  expect(await exchange()).toBe(403)
})

it.each([
  'http://localhost:3000',
  'https://localhost:3000',
  'http://127.0.0.1:5174',
  'http://[::1]',
  'https://app.example.com',
])('lets pages of %s call the token service', async (origin) => {
  const { status, headers } = await preflight(origin)
  expect([status, headers.get('Access-Control-Allow-Origin')]).toEqual([204, origin])
})

it('does not let pages of other origins call the token service', async () => {
  for (const origin of ['https://other.example', 'http://localhost.example:3000', 'null'])
    expect((await preflight(origin)).headers.get('Access-Control-Allow-Origin')).toBeNull()
})
