import 'reflect-metadata'
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { promisify } from 'node:util'
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate as PeculiarCertificate,
  X509CertificateGenerator,
  type JsonGeneralNames,
} from '@peculiar/x509'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createAuthority, createServerCertificate, type CertifiedKey } from '../src/tls/certificates.ts'
import { openKeyMaterial } from '../src/tls/key-material.ts'
import { trustInProcess } from '../src/tls/trust.ts'

const module = join(import.meta.dirname, '../src/tls/key-material.ts')

it('creates keys once, and lets only their owner read them', async () => {
  const folder = temporaryFolder()
  const first = await openKeyMaterial(folder)
  const again = await openKeyMaterial(folder)
  expect(again.ca).toBe(first.ca)
  expect(again.certificate).toBe(first.certificate)
  expect(again.signingKey.equals(first.signingKey)).toBe(true)
  for (const file of ['server-authority/ca-key.pem', 'server/server-key.pem', 'signing/signing-key.pem']) {
    expect(statSync(join(folder, file)).mode & 0o777, file).toBe(0o600)
  }
  const certificate = new X509Certificate(first.certificate)
  expect(certificate.checkIssued(new X509Certificate(first.ca))).toBe(true)
  expect(certificate.subjectAltName).toContain('DNS:localhost')
})

it.each([
  ['for the first time', () => {}],
  [
    'to replace an authority that could sign for clients and mail',
    async (folder: string) => {
      await openKeyMaterial(folder)
      renameSync(join(folder, 'server-authority'), join(folder, 'authority'))
      return readFileSync(join(folder, 'authority/ca.pem'), 'utf8')
    },
  ],
])('creates the same keys in several processes at the same time, %s', async (_name, prepare) => {
  const folder = temporaryFolder()
  const former = await prepare(folder)
  const script = `const { openKeyMaterial } = await import(${JSON.stringify(module)})
    const { ca, certificate, signingKey } = await openKeyMaterial(${JSON.stringify(folder)})
    console.log(ca + certificate + signingKey.export({ type: 'pkcs8', format: 'pem' }))`
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  const outputs = await Promise.all([run(), run(), run(), run()])
  expect(new Set(outputs.map(({ stdout }) => stdout)).size).toBe(1)
  expect(readdirSync(folder).toSorted()).toEqual(['server', 'server-authority', 'signing'])
  const { ca, certificate } = await openKeyMaterial(folder)
  expect(ca).not.toBe(former)
  expect(new X509Certificate(certificate).checkIssued(new X509Certificate(ca))).toBe(true)
})

it('completes missing parts, and renews parts that do not belong together', async () => {
  const folder = temporaryFolder()
  const first = await openKeyMaterial(folder)
  rmSync(join(folder, 'server-authority'), { recursive: true })
  const second = await openKeyMaterial(folder)
  expect(second.ca).not.toBe(first.ca)
  expect(new X509Certificate(second.certificate).checkIssued(new X509Certificate(second.ca))).toBe(true)
  expect(second.signingKey.equals(first.signingKey)).toBe(true)
})

it('renews the certificate when it lacks a hostname, and keeps the authority of loopback names', async () => {
  const folder = temporaryFolder()
  const open = (...hostnames: string[]) => openKeyMaterial(folder, undefined, hostnames)
  const plain = await open()
  const named = await open('emulator', '10.0.2.2')
  expect(new X509Certificate(named.certificate).subjectAltName).toMatch(/, DNS:emulator, IP Address:10\.0\.2\.2$/)
  expect(await open('10.0.2.2', 'emulator')).toMatchObject({ certificate: named.certificate, ca: named.ca })
  expect(named.caPath).toBe(join(folder, 'hostnames/ca.pem'))
  for (const names of [['other'], ['other', 'fe80::1']]) {
    const { certificate, ca } = await open(...names)
    expect(new X509Certificate(certificate).checkIssued(new X509Certificate(ca))).toBe(true)
    expect(new X509Certificate(certificate).checkHost('other')).toBe('other')
    expect(ca).not.toBe(named.ca)
  }
  expect(await open()).toMatchObject({ certificate: plain.certificate, ca: plain.ca })
  expect(readdirSync(join(folder, 'hostnames')).toSorted()).toEqual(['ca.pem', 'server-key.pem', 'server.pem'])
})

it('trusts the authority in addition to those trusted before', async () => {
  const { ca } = await openKeyMaterial(temporaryFolder())
  const roots = () => new Set(tls.getCACertificates('default').map((pem) => new X509Certificate(pem).fingerprint256))
  const before = roots()
  for (let times = 0; times < 2; times++) {
    trustInProcess(ca)
    expect(roots()).toEqual(new Set([...before, new X509Certificate(ca).fingerprint256]))
  }
})

it.runIf(process.getuid)('rejects a folder that other users can write to, directly or through a link', async () => {
  const folder = join(realpathSync(temporaryFolder()), 'keys')
  const link = join(temporaryFolder(), 'link')
  mkdirSync(folder)
  symlinkSync(folder, link)
  for (const mode of [0o720, 0o702, 0o777, 0o1777]) {
    chmodSync(folder, mode)
    for (const path of [folder, link]) {
      await expect(openKeyMaterial(path), mode.toString(8)).rejects.toThrow(
        `${folder} is writable by other users: run chmod go-w ${folder}, or choose another folder with keyFolder`,
      )
    }
  }
  expect(readdirSync(folder)).toEqual([])
  chmodSync(folder, 0o755)
  const { caPath } = await openKeyMaterial(link)
  expect(caPath).toBe(join(folder, 'server-authority/ca.pem'))
  for (const part of ['server-authority', 'server', 'signing']) {
    chmodSync(join(folder, part), 0o770)
    await expect(openKeyMaterial(folder), part).rejects.toThrow(`${join(folder, part)} is writable by other users`)
    chmodSync(join(folder, part), 0o700)
  }
  const dataFolder = temporaryFolder()
  chmodSync(dataFolder, 0o777)
  await expect(openKeyMaterial(folder, dataFolder)).rejects.toThrow(/ is writable by other users: .* with dataFolder$/)
})

it.runIf(process.getuid?.() === 0)('rejects a folder of another user', async () => {
  const folder = realpathSync(temporaryFolder())
  chownSync(folder, 65_534, 65_534)
  await expect(openKeyMaterial(folder)).rejects.toThrow(
    `${folder} belongs to another user: choose your own folder with keyFolder`,
  )
})

describe('the authority', () => {
  let authority: CertifiedKey
  beforeAll(async () => (authority = await createAuthority()))

  it('signs for servers on this machine', async () => {
    const names = [{ type: 'dns', value: 'localhost' } as const, { type: 'ip', value: '127.0.0.1' } as const]
    expect(await verify(authority.certificate, await forge(authority, { names }))).toBeUndefined()
    expect(await verify(authority.certificate, await createServerCertificate(authority))).toBeUndefined()
  })

  it.each<[string, Forgery]>([
    ['another site', { names: [{ type: 'dns', value: 'azure.com' }] }],
    ['a site whose name only starts like this machine', { names: [{ type: 'dns', value: 'localhost.azure.com' }] }],
    ['another address', { names: [{ type: 'ip', value: '192.168.0.1' }] }],
    ['an e-mail address', { names: [{ type: 'email', value: 'alice@example.com' }] }],
    ['a URI', { names: [{ type: 'url', value: 'spiffe://example.com/admin' }] }],
    ['a directory name', { names: [{ type: 'dn', value: 'CN=alice' }] }],
    ['another subject', { subject: 'CN=alice, O=Contoso' }],
    ['an e-mail address in its subject', { subject: 'CN=localhost, E=alice@example.com' }],
  ])('cannot sign for a server with %s', async (_name, { names = [], subject }) => {
    const all = [{ type: 'dns', value: 'localhost' } as const, ...names]
    const forged = await forge(authority, { names: all, ...(subject !== undefined && { subject }) })
    expect(await verify(authority.certificate, forged)).toBe('permitted subtree violation')
  })

  it('signs also for hostnames, and for no others', async () => {
    const named = await createAuthority(['emulator', '10.0.2.2'])
    const forgeFor = (type: 'dns' | 'ip', value: string) =>
      forge(named, {
        names: [
          { type: 'dns', value: 'localhost' },
          { type, value },
        ],
      })
    for (const [type, value] of [
      ['dns', 'emulator'],
      ['ip', '10.0.2.2'],
    ] as const)
      expect(await verify(named.certificate, await forgeFor(type, value)), value).toBeUndefined()
    for (const [type, value] of [
      ['dns', 'emulator2'],
      ['ip', '10.0.2.3'],
      ['ip', '::2'],
    ] as const)
      expect(await verify(named.certificate, await forgeFor(type, value)), value).toBe('permitted subtree violation')
  })

  it('cannot sign for a client', async () => {
    const client = await forge(authority, { usage: ExtendedKeyUsage.clientAuth })
    expect(await verifyClient(authority, client)).toBe('INVALID_PURPOSE')
  })
})

interface Forgery {
  readonly subject?: string
  readonly names?: JsonGeneralNames
  readonly usage?: ExtendedKeyUsage
}

/** Creates a certificate with a stolen authority key. */
async function forge(
  { certificate, privateKey }: CertifiedKey,
  { subject = 'CN=localhost', names = [], usage = ExtendedKeyUsage.serverAuth }: Forgery,
): Promise<CertifiedKey> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const signingKey = await crypto.subtle.importKey('pkcs8', PemConverter.decode(privateKey)[0]!, algorithm, false, [
    'sign',
  ])
  const forged = await X509CertificateGenerator.create({
    subject,
    issuer: new PeculiarCertificate(certificate).subject,
    notAfter: new Date(Date.now() + 60 * 60_000),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new ExtendedKeyUsageExtension([usage]),
      ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
    ],
  })
  const pem = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { certificate: forged.toString('pem'), privateKey: pem }
}

/** Returns why a client that trusts only the authority rejects a server; undefined if it accepts it. */
async function verify(ca: string, server: CertifiedKey): Promise<string | undefined> {
  const { port } = await listen({ cert: server.certificate, key: server.privateKey })
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca })
  const reason = await once(socket, 'secureConnect').then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  )
  socket.destroy()
  return reason
}

/** Returns why a server that trusts only the authority rejects a client. */
async function verifyClient(authority: CertifiedKey, client: CertifiedKey): Promise<unknown> {
  const { certificate: cert, privateKey: key } = await createServerCertificate(authority)
  const { certificate: ca } = authority
  const { server, port } = await listen({ cert, key, ca, requestCert: true, rejectUnauthorized: false })
  const accepted = once(server, 'secureConnection') as Promise<[tls.TLSSocket]>
  const socket = tls.connect({ port, host: '127.0.0.1', ca, cert: client.certificate, key: client.privateKey })
  const [{ authorizationError }] = await accepted
  socket.destroy()
  return authorizationError
}

async function listen(options: tls.TlsOptions): Promise<{ server: tls.Server; port: number }> {
  const server = tls.createServer(options).listen(0, '127.0.0.1')
  server.on('tlsClientError', () => {})
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}
