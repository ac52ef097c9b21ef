import { createPrivateKey, generateKeyPair, X509Certificate, type KeyObject } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import envPaths from 'env-paths'
import type { CertifiedKey } from './certificates.ts'

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
export async function openKeyMaterial(keyFolder: string, dataFolder?: string): Promise<KeyMaterial> {
  const folder = preparePrivateFolder(keyFolder, '--keys')
  const signingFolder = dataFolder === undefined ? folder : preparePrivateFolder(dataFolder, '--data')
  // Earlier authorities could sign for clients and mail.
  remove(join(folder, 'authority'))
  const authority = await openFolder(folder, 'server-authority', async () => {
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
  const ca = read(authority, 'ca.pem')
  let server = await openFolder(folder, 'server', makeServer)
  let pair: CertifiedKey | undefined
  while (!(pair = readUsablePair(server, ca))) {
    remove(server)
    server = await openFolder(folder, 'server', makeServer)
  }
  const signing = await openFolder(signingFolder, 'signing', async () => {
    const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
    return { 'signing-key.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
  })
  return {
    caPath: join(authority, 'ca.pem'),
    ca,
    ...pair,
    tlsFiles: { certificate: join(server, 'server.pem'), privateKey: join(server, 'server-key.pem') },
    signingKey: createPrivateKey(read(signing, 'signing-key.pem')),
  }
}

/**
 * Creates a folder for its owner only, if it is missing, and returns its real path: a link may lead elsewhere later.
 * Throws if other users could put keys of their own into the folder.
 */
function preparePrivateFolder(path: string, option: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const folder = realpathSync(path)
  expectPrivate(folder, option)
  for (const part of ['server-authority', 'server', 'signing'])
    if (existsSync(join(folder, part))) expectPrivate(join(folder, part), option)
  return folder
}

function expectPrivate(folder: string, option: string): void {
  const { uid, mode } = statSync(folder)
  // Windows has no such owners and modes.
  if (process.getuid === undefined) return
  if (uid !== process.getuid())
    throw new Error(`${folder} belongs to another user: choose a folder of your own with ${option}`)
  if ((mode & 0o022) !== 0)
    throw new Error(
      `${folder} is writable by other users: run chmod go-w ${folder}, or choose another folder with ${option}`,
    )
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
    const { code = '' } = error as NodeJS.ErrnoException
    if (!existsSync(folder) && !['EEXIST', 'ENOTEMPTY'].includes(code)) throw error
  }
  return folder
}

/** Reads the server's certificate and key; undefined if they are of another authority, expire soon, or are being replaced. */
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

/** Renames a folder before deleting it, so that another process finds all of it or nothing. */
function remove(folder: string): void {
  if (!existsSync(folder)) return
  const removed = mkdtempSync(join(dirname(folder), '.removed-'))
  try {
    renameSync(folder, join(removed, 'folder'))
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  } finally {
    rmSync(removed, { recursive: true, force: true })
  }
}

function read(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8')
}
