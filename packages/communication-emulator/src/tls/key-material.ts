import { createPrivateKey, generateKeyPair, X509Certificate, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import envPaths from 'env-paths'
import type { CertifiedKey } from './certificates.ts'
import type { FolderChoice } from '../unusable-folder-error.ts'
import { ensureSubfolder, removeFolder, usePrivateFolder } from './private-folder.ts'

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certificate: string
  readonly privateKey: string
}

/** Keys and certificates of an emulator: created at the first start, then kept. */
export interface KeyMaterial extends TlsMaterial {
  /** RSA-2048 key that signs access tokens. */
  readonly signingKey: KeyObject
}

interface TlsMaterial extends CertifiedKey {
  /** PEM file of the certificate authority that clients must trust. */
  readonly caPath: string
  /** The certificate authority, PEM. */
  readonly ca: string
  readonly tlsFiles: TlsFiles
}

/** Minimum remaining lifetime of the server certificate. */
const renewBeforeMs = 30 * 24 * 60 * 60_000

/**
 * Reads the key material, after creating what is missing or about to expire. Safe to call from several processes at once.
 * The signing key is in the data folder if there is one, next to the records of the tokens that it signed.
 */
export async function openKeyMaterial(keyFolder?: string, dataFolder?: string): Promise<KeyMaterial> {
  // One authority per user by default, so that it has to be trusted only once.
  const folder = keyFolder ?? join(envPaths('acs-kit', { suffix: '' }).data, 'communication-emulator')
  const choices: FolderChoice[] = keyFolder === undefined ? ['keyFolder', 'HOME'] : ['keyFolder']
  const tls = await usePrivateFolder(folder, choices, openTlsMaterial)
  const signingKey =
    dataFolder === undefined
      ? await usePrivateFolder(folder, choices, openSigningKey)
      : await usePrivateFolder(dataFolder, ['dataFolder'], openSigningKey)
  return { ...tls, signingKey }
}

async function openTlsMaterial(folder: string, choices: readonly FolderChoice[]): Promise<TlsMaterial> {
  // The authority of earlier versions could sign for clients and mail.
  removeFolder(join(folder, 'authority'))
  const authority = await ensureSubfolder(folder, 'server-authority', choices, async () => {
    const { createAuthority } = await import('./certificates.ts')
    const { certificate, privateKey } = await createAuthority()
    return { 'ca.pem': certificate, 'ca-key.pem': privateKey }
  })
  const ca = read(authority, 'ca.pem')
  for (;;) {
    const server = await ensureSubfolder(folder, 'server', choices, async () => {
      const { createServerCertificate } = await import('./certificates.ts')
      const issuer = { certificate: ca, privateKey: read(authority, 'ca-key.pem') }
      const { certificate, privateKey } = await createServerCertificate(issuer)
      return { 'server.pem': certificate, 'server-key.pem': privateKey }
    })
    const pair = readUsablePair(server, ca)
    const tlsFiles = { certificate: join(server, 'server.pem'), privateKey: join(server, 'server-key.pem') }
    if (pair) return { caPath: join(authority, 'ca.pem'), ca, ...pair, tlsFiles }
    removeFolder(server)
  }
}

async function openSigningKey(folder: string, choices: readonly FolderChoice[]): Promise<KeyObject> {
  const signing = await ensureSubfolder(folder, 'signing', choices, async () => {
    const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
    return { 'signing-key.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
  })
  return createPrivateKey(read(signing, 'signing-key.pem'))
}

/** Reads the server's certificate and key; undefined if another authority issued them, they expire soon, or are being replaced. */
function readUsablePair(folder: string, ca: string): CertifiedKey | undefined {
  let pair: CertifiedKey
  try {
    pair = { certificate: read(folder, 'server.pem'), privateKey: read(folder, 'server-key.pem') }
  } catch {
    return undefined
  }
  const certificate = new X509Certificate(pair.certificate)
  const isUsable =
    certificate.checkIssued(new X509Certificate(ca)) &&
    certificate.checkPrivateKey(createPrivateKey(pair.privateKey)) &&
    Date.parse(certificate.validTo) - Date.now() > renewBeforeMs
  return isUsable ? pair : undefined
}

function read(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8')
}
