import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sdkNames } from '@acs-kit/communication-identity'
import { findOldNodes } from '@acs-kit/test-support/old-node'
import { startOtlpReceiver, type OtlpExport } from '@acs-kit/test-support/otlp-receiver'
import { SignInIssuer } from '@acs-kit/test-support/sign-in-issuer'
import { ServerProcess } from '@acs-kit/test-support/server-process'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { unzipSync, zipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildArtifact } from '../build.ts'
import { ServiceFixture } from './service-fixture.ts'

// Outside the workspace, so that no parent folder has node_modules.
const folder = new TemporaryFolder()
const script = folder.join('first/server.js')
/** The service keeps compiled code there. */
const TMPDIR = folder.path

beforeAll(() => buildArtifact(folder.join('first')))
afterAll(() => folder[Symbol.dispose]())

async function readFiles(name: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder.join(name), { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    await Promise.all(files.map(async (file) => [file.slice(folder.join(name).length), await readFile(file)] as const)),
  )
}

it('is at most 1.2 MiB zipped, and reproducible', async () => {
  await buildArtifact(folder.join('second'))
  const first = await readFiles('first')
  expect(await readFiles('second')).toEqual(first)
  const zipped = await readFile(folder.join('first.zip'))
  expect(zipped.length).toBeLessThanOrEqual(1.2 * 1024 * 1024)
  expect(zipped.equals(await readFile(folder.join('second.zip')))).toBe(true)
  const unzipped = Object.entries(unzipSync(zipped)).map(
    ([path, content]) => [`/${path}`, Buffer.from(content)] as const,
  )
  expect(new Map(unzipped)).toEqual(first)
})

it('loads OpenTelemetry separately, from at most 150 kB zipped', async () => {
  const files = new Map([...(await readFiles('first'))].map(([path, content]) => [path.slice(1), content]))
  const server = [...files.keys()].find((path) => path.startsWith('server-'))!
  const telemetry = [...files.keys()].find((path) => path.startsWith('start-telemetry-'))!
  const main = findImports(files, 'server.js', server)
  expect(main).not.toContain(telemetry)
  const separate = [...findImports(files, telemetry)].filter((path) => !main.has(path))
  const read = (path: string) => files.get(path)!.toString()
  expect(separate.map(read).join('\n')).toContain('OTLPExporterError')
  for (const path of main) expect(read(path)).not.toMatch(/OTLPExporterError|BatchSpanProcessor/)
  const zipped = zipSync(Object.fromEntries(separate.map((path) => [path, files.get(path)!])), { level: 9 })
  expect(zipped.length).toBeLessThan(150_000)
})

/** Returns these modules, and those that load with them. Dynamic imports load later. */
function findImports(files: ReadonlyMap<string, Buffer>, ...paths: string[]): Set<string> {
  const found = new Set(paths)
  for (const path of found) {
    for (const [, name] of files
      .get(path)!
      .toString()
      .matchAll(/\b(?:from|import)\s*"\.\/([^"]+)"/g))
      found.add(name!)
  }
  return found
}

it.each(findOldNodes())('rejects Node $version with a message', ({ version, command, args }) => {
  const { status, stdout, stderr } = spawnSync(command, [...args, script], { encoding: 'utf8', env: {} })
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr: `Node 24.12 or newer is required, and this is Node ${version}\n`,
  })
})

it('reports all configuration errors together, without secrets', async () => {
  await using server = ServerProcess.launch({
    script,
    env: { TMPDIR, PORT: 'x', COMMUNICATION_SERVICES_CONNECTION_STRING: 'endpoint=http://x;accesskey=c2VjcmV0' },
  })
  expect(await server.exit()).toBe(1)
  expect(server.stderr.split('\n')).toEqual([
    'Invalid configuration:',
    expect.stringMatching(
      /^- COMMUNICATION_SERVICES_CONNECTION_STRING has an endpoint that does not begin with https:\/\/: copy it again/,
    ),
    '- PORT must be a whole number from 0 to 65535',
    '- SIGN_IN_ISSUERS is missing: list at least one trusted issuer',
    '- IDENTITY_STORE_CONNECTION_STRING or IDENTITY_STORE_ENDPOINT is missing: set one of them',
    '',
  ])
})

describe('as a process', () => {
  async function start(fixture: ServiceFixture, env: Record<string, string> = {}) {
    const server = await ServerProcess.start({
      script,
      env: {
        ...fixture.env,
        TMPDIR,
        HOST: '127.0.0.1',
        PORT: '0',
        NODE_EXTRA_CA_CERTS: fixture.emulator.caPath,
        ...env,
      },
      ready: /the service listens/,
    })
    const line = server.stdout.split('\n').find((text) => text.includes('the service listens'))!
    const { address, metricsAddress } = JSON.parse(line) as { address: string; metricsAddress?: string }
    return { server, address, metricsAddress }
  }

  it('reports an invalid HOST in one line, without repeating it', async () => {
    await using fixture = await ServiceFixture.start()
    await using server = ServerProcess.launch({
      script,
      env: { ...fixture.env, TMPDIR, HOST: 'not a host name', PORT: '0' },
    })
    expect(await server.exit()).toBe(1)
    expect(server.stderr).toMatch(/^HOST and METRICS_HOST must be addresses of this machine: .*\n$/m)
    expect(server.stderr + server.stdout).not.toContain('not a host name')
  })

  it.each(sdkNames)('serves requests, pages and metrics without node_modules, with the SDK %s', async (ACS_SDK) => {
    await using fixture = await ServiceFixture.start()
    const env = { ACS_SDK, METRICS_PORT: '0', REFERENCE_PAGE: 'true' }
    const { server, address, metricsAddress } = await start(fixture, env)
    await using _ = server
    await expect.poll(async () => (await fetch(`${address}/readyz`)).status).toBe(200)
    const headers = { authorization: `Bearer ${await fixture.issuer.sign()}` }
    expect((await fetch(`${address}/v1/token`, { method: 'POST', headers })).status).toBe(200)

    for (const path of ['', '/start.js', '/swagger-ui-bundle.js', '/swagger-ui.css']) {
      const page = await fetch(`${address}/reference${path}`)
      expect(page.status).toBe(200)
      expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
      expect(await page.text()).toMatch(/<!doctype html>|SwaggerUIBundle|\.swagger-ui/)
    }
    const metrics = await (await fetch(`${metricsAddress}/metrics`)).text()
    expect(metrics).toContain('http_request_duration_seconds_count{method="POST",route="/v1/token",status="200"} 1')
    expect(metrics).toMatch(/communication_attempts_total\{operation="create(?:WithToken)?"\} 1/)
    expect(metrics).toContain('communication_key_accepted{key="primary"} 1')
    expect(metrics).toContain('journal_entries{kind="lost"} 0')
    expect((await fetch(`${address}/metrics`)).status).toBe(404)
  })

  it('exports traces and metrics without node_modules', async () => {
    await using fixture = await ServiceFixture.start()
    const exports: OtlpExport[] = []
    await using collector = await startOtlpReceiver((received) => exports.push(received))
    const { server, address } = await start(fixture, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
    await using _ = server
    expect((await fetch(`${address}/v1/token`, { method: 'POST' })).status).toBe(401)
    process.kill(server.pid, 'SIGTERM')
    expect(await server.exit()).toBe(0)
    const texts = Object.fromEntries(exports.map(({ path, body }) => [path, body.toString('latin1')]))
    expect(texts['/v1/traces']).toContain('POST /v1/token')
    expect(texts['/v1/traces']).toContain('token-missing')
    expect(texts['/v1/metrics']).toContain('http.server.request.duration')
  })

  it('finishes open requests and accepts no new ones after SIGTERM', async () => {
    await using fixture = await ServiceFixture.start({ env: { UPSTREAM_DEADLINE_MS: '60000' } })
    const { server, address } = await start(fixture)
    await using _ = server
    const fault = fixture.emulator.faults.add({ operation: 'createIdentity', latencyMs: 600_000 })
    const authorization = `Bearer ${await fixture.issuer.sign()}`
    const response = fetch(`${address}/v1/token`, { method: 'POST', headers: { authorization } })
    await expect.poll(() => fixture.emulator.faults.list()[0]!.appliedCount).toBe(1)
    process.kill(server.pid, 'SIGTERM')
    await expect.poll(() => fetch(`${address}/healthz`).catch((error: Error) => error.message)).toBe('fetch failed')
    fixture.emulator.faults.remove(fault)
    expect((await response).status).toBe(200)
    expect(await server.exit()).toBe(0)
    expect(server.stdout).toContain('"audit":"issue"')
  })

  it('writes a line for each request before it exits', async () => {
    await using fixture = await ServiceFixture.start()
    const { server, address } = await start(fixture)
    await using _ = server
    const authorization = `Bearer ${await fixture.issuer.sign()}`
    for (let count = 0; count < 100; count++) {
      await fetch(`${address}/v1/token`, { method: 'POST', headers: { authorization } })
    }
    process.kill(server.pid, 'SIGTERM')
    expect(await server.exit()).toBe(0)
    const line =
      /^\{"level":30,"time":\d{13},"reqId":"[\w-]+","audit":"issue","userKey":"[\w-]{43}","scopes":"[a-z. ]+","cached":(?:true|false)\}$/gm
    expect(server.stdout.match(line)).toHaveLength(100)
  })

  it('serves requests while the reader of its log stalls', async () => {
    await using fixture = await ServiceFixture.start({ env: { TOKENS_PER_MINUTE: '100000' } })
    const { server, address } = await start(fixture)
    await using _ = server
    server.pauseReading()
    const authorization = `Bearer ${await fixture.issuer.sign()}`
    const request = async () => {
      const response = await fetch(`${address}/v1/token`, { method: 'POST', headers: { authorization } })
      await response.arrayBuffer()
      return response.status
    }
    // Their lines are longer than what pipes of Linux and Node's streams hold.
    for (let sent = 0; sent < 2000; sent += 100) {
      expect(new Set(await Promise.all(Array.from({ length: 100 }, request)))).toEqual(new Set([200]))
    }
  })

  it('exits after SIGTERM, even if its log is not read', async () => {
    await using fixture = await ServiceFixture.start()
    const { server, address } = await start(fixture)
    await using _ = server
    server.stopReading()
    const authorization = `Bearer ${await fixture.issuer.sign()}`
    expect((await fetch(`${address}/v1/token`, { method: 'POST', headers: { authorization } })).status).toBe(200)
    process.kill(server.pid, 'SIGTERM')
    expect(await server.exit()).toBe(0)
  })

  it.each(['PORT', 'METRICS_PORT'])('reports in one line that its %s is in use', async (name) => {
    await using fixture = await ServiceFixture.start()
    await using issuer = await SignInIssuer.start()
    await using server = ServerProcess.launch({
      script,
      env: {
        ...fixture.env,
        TMPDIR,
        HOST: '127.0.0.1',
        PORT: '0',
        METRICS_PORT: '0',
        [name]: new URL(issuer.issuer).port,
      },
    })
    expect(await server.exit()).toBe(1)
    expect(server.stderr).toMatch(/^listen EADDRINUSE[^\n]*\n$/m)
    expect(server.stderr).not.toContain('    at ')
  })
})
