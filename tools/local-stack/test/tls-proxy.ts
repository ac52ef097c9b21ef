import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { Emulator } from '@acs-kit/communication-emulator'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { forward } from './forward.ts'

export interface TlsProxy extends AsyncDisposable {
  readonly url: string
  /** Makes Chromium trust the proxy's key. */
  readonly chromiumFlag: string
}

/** Starts a TLS proxy, as in front of a deployed token service, with the emulator's certificate. */
export async function startTlsProxy(target: string, tlsFiles: Emulator['tlsFiles']): Promise<TlsProxy> {
  const cert = readFileSync(tlsFiles.certificate)
  const key = readFileSync(tlsFiles.privateKey)
  const server = createServer({ cert, key }, (incoming, outgoing) => forward(target, incoming, outgoing))
  const local = await listenLocally(server)
  const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
  return {
    url: `https://localhost:${local.port}`,
    chromiumFlag: `--ignore-certificate-errors-spki-list=${createHash('sha256').update(spki).digest('base64')}`,
    [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
  }
}
