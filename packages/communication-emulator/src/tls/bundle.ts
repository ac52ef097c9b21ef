import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tls from 'node:tls'

/**
 * Writes a file with an authority beside the roots of the file that a program was told of, or, where it was told of none,
 * beside those of the system and of Mozilla. Returns its path, which follows from its content, so that processes with
 * other roots do not overwrite each other's.
 */
export function writeBundle(folder: string, ca: string, inherited: string | undefined): string {
  const roots = readRoots(inherited) ?? [...tls.getCACertificates('system'), ...tls.getCACertificates('bundled')]
  return write(folder, [...roots, ...tls.getCACertificates('extra'), ca])
}

/** The same for Node, which adds what is in the file to its own roots, and takes one file only. */
export function writeExtraBundle(folder: string, ca: string, inherited: string): string {
  return write(folder, [...(readRoots(inherited) ?? []), ca])
}

/** Undefined where there is no such file; some programs also take a folder, which is left aside for the defaults. */
function readRoots(path: string | undefined): string[] | undefined {
  if (!path || !existsSync(path) || !statSync(path).isFile()) return undefined
  return readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? []
}

function write(folder: string, certificates: readonly string[]): string {
  const text = [...new Set(certificates.map((pem) => pem.trim()))].join('\n') + '\n'
  const path = join(folder, `bundle-${createHash('sha256').update(text).digest('hex').slice(0, 16)}.pem`)
  if (!existsSync(path)) {
    const draft = `${path}.${process.pid}`
    writeFileSync(draft, text, { mode: 0o600 })
    renameSync(draft, path)
  }
  return path
}
