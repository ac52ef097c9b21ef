import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import tls from 'node:tls'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { openKeyMaterial } from '../src/tls/key-material.ts'
import { trustInProcess } from '../src/tls/trust.ts'
import { temporaryFolder } from './temporary-folder.ts'

const module = join(import.meta.dirname, '../src/tls/key-material.ts')

it('is made once and kept, private keys for their owner only', async () => {
  const folder = temporaryFolder()
  const first = await openKeyMaterial(folder)
  const again = await openKeyMaterial(folder)
  expect(again.ca).toBe(first.ca)
  expect(again.certificate).toBe(first.certificate)
  expect(again.signingKey.equals(first.signingKey)).toBe(true)
  for (const file of ['authority/ca-key.pem', 'server/server-key.pem', 'signing/signing-key.pem']) {
    expect(statSync(join(folder, file)).mode & 0o777, file).toBe(0o600)
  }
  const certificate = new X509Certificate(first.certificate)
  expect(certificate.checkIssued(new X509Certificate(first.ca))).toBe(true)
  expect(certificate.subjectAltName).toContain('DNS:localhost')
})

it('is the same for processes that make it at the same time', async () => {
  const folder = temporaryFolder()
  const script = `const { openKeyMaterial } = await import(${JSON.stringify(module)})
    const { ca, certificate, signingKey } = await openKeyMaterial(${JSON.stringify(folder)})
    console.log(ca + certificate + signingKey.export({ type: 'pkcs8', format: 'pem' }))`
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  const outputs = await Promise.all([run(), run(), run(), run()])
  expect(new Set(outputs.map(({ stdout }) => stdout)).size).toBe(1)
  expect(readdirSync(folder).toSorted()).toEqual(['authority', 'server', 'signing'])
})

it('is completed where a part is missing, and renewed where the parts do not belong together', async () => {
  const folder = temporaryFolder()
  const first = await openKeyMaterial(folder)
  rmSync(join(folder, 'authority'), { recursive: true })
  const second = await openKeyMaterial(folder)
  expect(second.ca).not.toBe(first.ca)
  expect(new X509Certificate(second.certificate).checkIssued(new X509Certificate(second.ca))).toBe(true)
  expect(second.signingKey.equals(first.signingKey)).toBe(true)
})

it('is trusted beside what was trusted before, never instead of it', async () => {
  const { ca } = await openKeyMaterial(temporaryFolder())
  const roots = () => new Set(tls.getCACertificates('default').map((pem) => new X509Certificate(pem).fingerprint256))
  const before = roots()
  for (let times = 0; times < 2; times++) {
    trustInProcess(ca)
    expect(roots()).toEqual(new Set([...before, new X509Certificate(ca).fingerprint256]))
  }
})

it('can vouch for nothing but this machine', async () => {
  const folder = temporaryFolder()
  const { caPath } = await openKeyMaterial(folder)
  const { createServerCertificate } = await import('../src/tls/certificates.ts')
  const authority = {
    certificate: readFileSync(caPath, 'utf8'),
    privateKey: readFileSync(join(folder, 'authority/ca-key.pem'), 'utf8'),
  }
  const forged = await createServerCertificate(authority, ['azure.com'])
  await expect(connect(authority.certificate, forged, 'azure.com')).rejects.toThrow(/permitted subtree violation/i)
  const honest = await createServerCertificate(authority)
  await expect(connect(authority.certificate, honest, 'localhost')).resolves.toBeUndefined()
})

/** A TLS handshake in this process, with the authority as the only trusted one. */
async function connect(
  ca: string,
  key: { certificate: string; privateKey: string },
  servername: string,
): Promise<void> {
  const server = tls.createServer({ cert: key.certificate, key: key.privateKey }).listen(0, '127.0.0.1')
  server.on('tlsClientError', () => {})
  try {
    await new Promise<void>((resolve, reject) => {
      server.on('listening', () => {
        const { port } = server.address() as { port: number }
        const socket = tls.connect({ port, host: '127.0.0.1', ca, servername }, () => {
          socket.end()
          resolve()
        })
        socket.on('error', reject)
      })
    })
  } finally {
    server.close()
  }
}
