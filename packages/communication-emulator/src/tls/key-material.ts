import { createPrivateKey, generateKeyPair, X509Certificate, type KeyObject } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import envPaths from 'env-paths'

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certificate: string
  readonly privateKey: string
}

/** What an emulator needs to be trusted: made at the first start, kept for the next ones. */
export interface KeyMaterial {
  /** PEM file of the authority that clients have to trust. */
  readonly caPath: string
  readonly ca: string
  /** Certificate and private key of the HTTPS listeners, PEM. */
  readonly certificate: string
  readonly privateKey: string
  readonly tlsFiles: TlsFiles
  /** Signs access tokens: RSA-2048. */
  readonly signingKey: KeyObject
}

/** Where key material is kept unless told otherwise: one authority per user, so that it has to be trusted once. */
export function defaultKeyFolder(): string {
  return join(envPaths('acs-kit', { suffix: '' }).data, 'communication-emulator')
}

const renewBeforeMs = 30 * 24 * 60 * 60_000

/**
 * Reads the key material in a folder, after making what is missing or about to expire. Safe to call from many processes.
 * The signing key may live elsewhere: with the state whose tokens it signed.
 */
export async function openKeyMaterial(keyFolder: string, signingFolder = keyFolder): Promise<KeyMaterial> {
  // Programs that are told of the files may run elsewhere.
  const folder = resolve(keyFolder)
  for (const needed of [folder, signingFolder]) mkdirSync(needed, { recursive: true, mode: 0o700 })
  const authority = await openFolder(folder, 'authority', async () => {
    const { createAuthority } = await import('./certificates.ts')
    const { certificate, privateKey } = await createAuthority()
    return { 'ca.pem': certificate, 'ca-key.pem': privateKey }
  })
  const makeServer = async () => {
    const { createServerCertificate } = await import('./certificates.ts')
    const { certificate, privateKey } = await createServerCertificate({
      certificate: read(authority, 'ca.pem'),
      privateKey: read(authority, 'ca-key.pem'),
    })
    return { 'server.pem': certificate, 'server-key.pem': privateKey }
  }
  let server = await openFolder(folder, 'server', makeServer)
  const certificate = new X509Certificate(read(server, 'server.pem'))
  const isOurs = certificate.checkIssued(new X509Certificate(read(authority, 'ca.pem')))
  if (!isOurs || Date.parse(certificate.validTo) - Date.now() < renewBeforeMs) {
    rmSync(server, { recursive: true, force: true })
    server = await openFolder(folder, 'server', makeServer)
  }
  const signing = await openFolder(signingFolder, 'signing', async () => {
    const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
    return { 'signing-key.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
  })
  return {
    caPath: join(authority, 'ca.pem'),
    ca: read(authority, 'ca.pem'),
    certificate: read(server, 'server.pem'),
    privateKey: read(server, 'server-key.pem'),
    tlsFiles: { certificate: join(server, 'server.pem'), privateKey: join(server, 'server-key.pem') },
    signingKey: createPrivateKey(read(signing, 'signing-key.pem')),
  }
}

/**
 * Files that belong together live in a folder of their own, which appears whole or not at all: of several processes that
 * make it at once, the first to rename its draft wins, and the others use what it made.
 */
async function openFolder(parent: string, name: string, make: () => Promise<Record<string, string>>): Promise<string> {
  const folder = join(parent, name)
  if (existsSync(folder)) return folder
  const files = await make()
  const draft = mkdtempSync(join(parent, `.${name}-`))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(draft, file), text, { mode: 0o600 })
  chmodSync(draft, 0o700)
  try {
    renameSync(draft, folder)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

function read(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8')
}
