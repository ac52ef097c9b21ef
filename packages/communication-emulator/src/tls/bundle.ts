import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tls from 'node:tls'

/**
 * A file with the emulator's authority beside the roots that programs of this user trust already: those of the files that
 * `environment` names, else the system's and Mozilla's. Returns its path, which follows from its content, so that
 * processes with other roots do not overwrite each other's.
 */
export function writeBundle(folder: string, ca: string, environment: NodeJS.ProcessEnv): string {
  const named = ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS']
    .map((name) => environment[name])
    .filter((path) => path !== undefined && existsSync(path))
    .map((path) => readFileSync(path!, 'utf8').trim())
  const roots = named.length > 0 ? named : [...tls.getCACertificates('system'), ...tls.getCACertificates('bundled')]
  const text = [...new Set([...roots.map((root) => root.trim()), ca.trim()])].join('\n') + '\n'
  return writeByContent(folder, 'bundle', '.pem', text)
}

function writeByContent(folder: string, name: string, extension: string, text: string): string {
  const path = join(folder, `${name}-${createHash('sha256').update(text).digest('hex').slice(0, 16)}${extension}`)
  if (!existsSync(path)) {
    const draft = `${path}.${process.pid}`
    writeFileSync(draft, text)
    renameSync(draft, path)
  }
  return path
}
