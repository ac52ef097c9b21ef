import { createPrivateKey, generateKeyPair, X509Certificate, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import envPaths from 'env-paths'
import type { CertifiedKey } from './certificates.ts'
import type { FolderChoice } from '../unusable-folder-error.ts'
import { checkPrivate, ensureSubfolder, removeFolder, usePrivateFolder } from './private-folder.ts'

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

/** Subfolder of the authority and certificate for hostnames. */
const namedFolder = 'hostnames'

/** Minimum remaining lifetime of the server certificate. */
const renewBeforeMs = 30 * 24 * 60 * 60_000

/**
 * Reads the key material, after creating what is missing or about to expire. Safe to call from several processes at once.
 * The certificate has the loopback names and `hostnames`. The signing key is in the data folder if there is one, next to the records
 * of the tokens that it signed.
 */
export async function openKeyMaterial(
  keyFolder?: string,
  dataFolder?: string,
  hostnames: readonly string[] = [],
): Promise<KeyMaterial> {
  const { folder, choices } = chooseFolder(keyFolder)
  const tls = await usePrivateFolder(folder, choices, (...args) =>
    hostnames.length === 0 ? openTlsMaterial(...args) : openNamedTlsMaterial(...args, hostnames),
  )
  const signingKey =
    dataFolder === undefined
      ? await usePrivateFolder(folder, choices, openSigningKey)
      : await usePrivateFolder(dataFolder, ['dataFolder'], openSigningKey)
  return { ...tls, signingKey }
}

/** Returns the authority of a running emulator. Throws if its certificate does not have the hostname. */
export async function openAuthority(
  keyFolder: string | undefined,
  hostname: string | undefined,
): Promise<Pick<TlsMaterial, 'ca' | 'caPath'>> {
  if (hostname === undefined) return openKeyMaterial(keyFolder)
  const { folder, choices } = chooseFolder(keyFolder)
  const named = join(folder, namedFolder)
  for (const path of [folder, named]) checkPrivate(path, choices)
  // Not created here: a new authority would replace that of the running emulator.
  const material = readNamedTlsMaterial(named, [hostname])
  if (material) return material
  const remedy = `start the emulator with --hostname ${hostname}, or set its --keys`
  throw new Error(`no certificate in ${folder} has the name ${hostname}: ${remedy}`)
}

function chooseFolder(keyFolder: string | undefined): { folder: string; choices: FolderChoice[] } {
  // One authority per user by default, so that it has to be trusted only once.
  return keyFolder === undefined
    ? {
        folder: join(envPaths('acs-kit', { suffix: '' }).data, 'communication-emulator'),
        choices: ['keyFolder', 'HOME'],
      }
    : { folder: keyFolder, choices: ['keyFolder'] }
}

/** Opens material with an authority of its own. Its key is discarded, because other machines trust it. */
async function openNamedTlsMaterial(
  folder: string,
  choices: readonly FolderChoice[],
  hostnames: readonly string[],
): Promise<TlsMaterial> {
  for (;;) {
    const named = await ensureSubfolder(folder, namedFolder, choices, async () => {
      const { createAuthority, createServerCertificate } = await import('./certificates.ts')
      const authority = await createAuthority(hostnames)
      const { certificate, privateKey } = await createServerCertificate(authority, hostnames)
      return { 'ca.pem': authority.certificate, 'server.pem': certificate, 'server-key.pem': privateKey }
    })
    const material = readNamedTlsMaterial(named, hostnames)
    if (material) return material
    removeFolder(named)
  }
}

/** Returns undefined if the certificate lacks a name, or cannot be used otherwise. */
function readNamedTlsMaterial(folder: string, hostnames: readonly string[]): TlsMaterial | undefined {
  let ca: string
  try {
    ca = read(folder, 'ca.pem')
  } catch {
    return undefined
  }
  const pair = readUsablePair(folder, ca)
  if (!pair) return undefined
  const certificate = new X509Certificate(pair.certificate)
  const hasName = (name: string) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name))
  if (!hostnames.every(hasName)) return undefined
  return { ca, caPath: join(folder, 'ca.pem'), ...pair, tlsFiles: toTlsFiles(folder) }
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
    if (pair) return { caPath: join(authority, 'ca.pem'), ca, ...pair, tlsFiles: toTlsFiles(server) }
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

function toTlsFiles(folder: string): TlsFiles {
  return { certificate: join(folder, 'server.pem'), privateKey: join(folder, 'server-key.pem') }
}

function read(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8')
}
