import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { expect, it } from 'vitest'
import { cli, foreignVariables, keylessProgram, run, signedProgram } from './cli-fixture.ts'

it('runs an unmodified program with its own emulator', async () => {
  const { output, exit } = run(['exec', '--', process.execPath, signedProgram])
  expect(await exit).toEqual({ code: 0, signal: null })
  expect(output.stdout).toMatch(/\ndeleted the identity\n$/)
  expect(output.stderr).toBe('')
})

it("exits with the command's code, even if a signal ended it, and passes arguments unchanged", async () => {
  expect(await run(['exec', '--', 'sh', '-c', 'exit 7']).exit).toMatchObject({ code: 7 })
  expect(await run(['exec', '--', 'sh', '-c', 'kill -TERM $$']).exit).toMatchObject({ code: 143 })
  const { output, exit } = run(['exec', '--loose', '--', 'printf', '[%s]', '--port', '-x', 'a b'])
  expect(await exit).toMatchObject({ code: 0 })
  expect(output.stdout).toBe('[--port][-x][a b]')
})

it("forwards a signal, and exits with the command's code", async () => {
  const script = 'trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.05; done'
  const { process: child, output, exit } = run(['exec', '--', 'sh', '-c', script])
  while (!output.stdout.includes('up')) await once(child.stdout!, 'data')
  child.kill('SIGTERM')
  expect(await exit).toMatchObject({ code: 5 })
  expect(output.stdout).toContain('bye')
})

it('reports a command that does not exist, or is missing', async () => {
  const missing = run(['exec', '--', 'no-such-command'])
  expect(await missing.exit).toMatchObject({ code: 127 })
  expect(missing.output.stderr).toMatch(/^communication-emulator: no-such-command could not be run: .*\n$/)
  expect(await run(['exec']).exit).toMatchObject({ code: 1 })
})

it('keeps the certificates that the user already trusts', async () => {
  const own = join(temporaryFolder(), 'own.pem')
  const [root] = rootCertificates
  writeFileSync(own, root!)
  const count = async (variable: string, environment: Record<string, string>) => {
    const names = { NODE_EXTRA_CA_CERTS: '', SSL_CERT_FILE: '', REQUESTS_CA_BUNDLE: '', CURL_CA_BUNDLE: '' }
    const { output, exit } = run(['exec', '--', 'sh', '-c', `cat "$${variable}"`], { ...names, ...environment })
    expect(await exit).toMatchObject({ code: 0 })
    expect(output.stdout).toContain(root)
    return output.stdout.match(/BEGIN CERTIFICATE/g)!.length
  }
  // Node adds the file to its own roots; for the other programs, the file replaces their default roots.
  expect(await count('NODE_EXTRA_CA_CERTS', { NODE_EXTRA_CA_CERTS: own })).toBe(2)
  expect(await count('SSL_CERT_FILE', { SSL_CERT_FILE: own })).toBe(2)
  expect(await count('CURL_CA_BUNDLE', { CURL_CA_BUNDLE: own })).toBe(2)
  expect(await count('REQUESTS_CA_BUNDLE', { NODE_EXTRA_CA_CERTS: own })).toBeGreaterThan(100)
  expect(await count('REQUESTS_CA_BUNDLE', { REQUESTS_CA_BUNDLE: temporaryFolder() })).toBeGreaterThan(100)
})

it('runs an unmodified program in a shell set up for another resource, identity and network', async () => {
  for (const program of [signedProgram, keylessProgram]) {
    const { output, exit } = run(['exec', '--', process.execPath, program], foreignVariables)
    expect(await exit).toEqual({ code: 0, signal: null })
    expect(output.stderr).toBe('')
  }
})

it('adds loopback names to the proxy exceptions, and keeps the existing ones', async () => {
  const names = ['NO_PROXY', 'no_proxy', 'no_grpc_proxy']
  const exceptions = async (environment: Record<string, string>) => {
    const { output, exit } = run(
      ['exec', '--', 'sh', '-c', names.map((name) => `echo "$${name}"`).join(';')],
      environment,
    )
    expect(await exit).toMatchObject({ code: 0 })
    return output.stdout.split('\n').slice(0, 3)
  }
  const loopback = 'localhost,.localhost,127.0.0.1,::1'
  expect(await exceptions({ NO_PROXY: '', no_proxy: '', no_grpc_proxy: '' })).toEqual([loopback, loopback, ''])
  const merged = 'a.example,localhost,b.example,.localhost,127.0.0.1,::1'
  expect(await exceptions(foreignVariables)).toEqual([merged, merged, `c.example,${loopback}`])
  expect(await exceptions({ NO_PROXY: '*', no_proxy: 'b.example' })).toEqual(['*', '*', ''])
})

it('creates users, who stay the same in a data folder, and sets variables to their ids', async () => {
  const data = temporaryFolder()
  const readIds = async () => {
    const flags = ['--data', data, '--user', 'alice-1', '--user', 'admin=AdminUserId']
    const { output, exit } = run(['exec', ...flags, '--', 'sh', '-c', 'echo "$ALICE_1_USER_ID $AdminUserId"'])
    expect(await exit).toMatchObject({ code: 0 })
    return output.stdout.trim().split(' ')
  }
  const ids = await readIds()
  expect(new Set(ids)).toHaveLength(2)
  for (const id of ids) expect(id).toMatch(/^8:acs:[-\da-f]{36}_[-\da-f]{36}$/)
  expect(await readIds()).toEqual(ids)
  const { output, exit } = run(['exec', '--user', 'a b', '--', 'true'])
  expect(await exit).toMatchObject({ code: 1 })
  expect(output.stderr).toContain('Use name or name=VARIABLE')
  const second = run(['exec', '--user', 'a-b', '--user', 'a_b', '--', 'true'])
  expect(await second.exit).toMatchObject({ code: 1 })
  expect(second.output.stderr).toContain('Another user has the variable A_B_USER_ID')
})

it('sets further variables to the connection string and the endpoint', async () => {
  const flags = ['--connection-string-as', 'ResourceConnectionString', '--endpoint-as', 'A', '--endpoint-as', 'B']
  const script = 'echo "$ResourceConnectionString" "$A" "$B"'
  const { output, exit } = run(['exec', ...flags, '--', 'sh', '-c', script])
  expect(await exit).toMatchObject({ code: 0 })
  expect(output.stdout).toMatch(/^endpoint=(\S+);accesskey=\S+ \1 \1\n$/)
  const env = run(['env', '--endpoint-as', 'ENDPOINT_URL'])
  expect(await env.exit).toMatchObject({ code: 0 })
  expect(env.output.stdout).toContain("export ENDPOINT_URL='https://localhost:4380/'")
})

it('runs inside another exec', async () => {
  const inner = [process.execPath, cli, 'exec', '--', process.execPath, signedProgram]
  const { output, exit } = run(['exec', '--', ...inner])
  expect(await exit).toMatchObject({ code: 0 })
  expect(output.stderr).toBe('')
})
