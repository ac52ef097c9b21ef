import { hash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tls from 'node:tls'
import { ensureFile } from './private-folder.ts'

/**
 * Writes a PEM file with the authority and the roots in the file `inherited`; without such a file, with the roots of the system and
 * of Mozilla. Returns its path, which depends on the content, so that processes with different roots do not overwrite each other's.
 */
export function writeBundle(folder: string, ca: string, inherited: string | undefined): string {
  const roots = readRoots(inherited) ?? [...tls.getCACertificates('system'), ...tls.getCACertificates('bundled')]
  return write(folder, [...roots, ...tls.getCACertificates('extra'), ca])
}

/** Writes such a file for Node, which accepts only one, and adds its content to its own roots. */
export function writeExtraBundle(folder: string, ca: string, inherited: string): string {
  return write(folder, [...(readRoots(inherited) ?? []), ca])
}

/** Returns undefined if the file does not exist, or is a folder, which some programs also accept. */
function readRoots(path: string | undefined): string[] | undefined {
  if (!path || !existsSync(path) || !statSync(path).isFile()) return undefined
  return readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? []
}

function write(folder: string, certificates: readonly string[]): string {
  const text = [...new Set(certificates.map((pem) => pem.trim()))].join('\n') + '\n'
  const path = join(folder, `bundle-${hash('sha256', text).slice(0, 16)}.pem`)
  return ensureFile(path, (draft) => writeFileSync(draft, text, { mode: 0o600 }))
}
