import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, readFileSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { ensureFile } from './private-folder.ts'

// The default password of every JDK's trust store; not a secret.
const password = 'changeit'

/**
 * Copies the trust store of the `java` on PATH and adds the emulator's authority with that Java's `keytool`. Returns the path of
 * the copy, or undefined without Java. Throws if keytool fails.
 */
export function writeJavaTrustStore(
  folder: string,
  caPath: string,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  const home = findJavaHome(environment)
  if (home === undefined) return undefined
  const roots = join(home, 'lib', 'security', 'cacerts')
  const keytool = join(home, 'bin', process.platform === 'win32' ? 'keytool.exe' : 'keytool')
  if (!existsSync(roots) || !existsSync(keytool)) return undefined
  const identity = createHash('sha256').update(readFileSync(roots)).update(readFileSync(caPath)).digest('hex')
  const path = join(folder, `java-${identity.slice(0, 16)}.p12`)
  return ensureFile(path, (draft) => {
    copyFileSync(roots, draft)
    chmodSync(draft, 0o600)
    importCertificate(keytool, draft, caPath)
  })
}

function importCertificate(keytool: string, keystore: string, caPath: string): void {
  const importOptions = ['-importcert', '-noprompt', '-alias', 'acs-kit-communication-emulator', '-file', caPath]
  const storeOptions = ['-keystore', keystore, '-storepass', password]
  const { status, stderr, stdout } = spawnSync(keytool, [...importOptions, ...storeOptions], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`keytool could not create a trust store: ${`${stdout}${stderr}`.trim()}`)
}

export function formatJavaOptions(trustStore: string): string {
  const path = /\s/.test(trustStore) ? `"${trustStore}"` : trustStore
  return `-Djavax.net.ssl.trustStore=${path} -Djavax.net.ssl.trustStorePassword=${password}`
}

/** Derives the folder from the path of `java`; if that is a version manager's script, runs it, which takes longer. */
function findJavaHome({ PATH = '' }: NodeJS.ProcessEnv): string | undefined {
  const name = process.platform === 'win32' ? 'java.exe' : 'java'
  const java = PATH.split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
  if (java === undefined) return undefined
  const home = dirname(dirname(realpathSync(java)))
  if (existsSync(join(home, 'lib', 'security', 'cacerts'))) return home
  const { stderr } = spawnSync(java, ['-XshowSettings:properties', '-version'], { encoding: 'utf8' })
  return /^\s*java\.home = (.+)$/m.exec(stderr ?? '')?.[1]?.trim()
}
