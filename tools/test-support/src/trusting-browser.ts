import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { hasBrowser, launchBrowser, type Browser } from './browser.ts'
import { TemporaryFolder } from './temporary-folder.ts'

/** Whether tests can make a browser trust a certificate authority: Chromium on Linux reads its roots from a database in the home folder. */
export const hasTrustingBrowser =
  hasBrowser && process.platform === 'linux' && spawnSync('certutil', ['-H']).error === undefined

if (hasBrowser && !hasTrustingBrowser) {
  process.stdout.write('NOT RUN: browser tests with a trusted certificate authority, no certutil found\n')
}

/** Starts a browser that trusts a certificate authority, and no other setting of the user's home folder. */
export async function launchTrustingBrowser(caPath: string): Promise<Browser> {
  const home = new TemporaryFolder()
  const database = home.join('.pki', 'nssdb')
  mkdirSync(database, { recursive: true })
  execFileSync('certutil', ['-d', `sql:${database}`, '-A', '-t', 'C,,', '-n', 'test', '-i', caPath])
  const browser = await launchBrowser({ env: { ...process.env, HOME: home.path } })
  browser.once('disconnected', () => home[Symbol.dispose]())
  return browser
}
