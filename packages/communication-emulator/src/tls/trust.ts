import { X509Certificate } from 'node:crypto'
import tls from 'node:tls'

/** Makes this process trust an authority in addition to those that it already trusts. */
export function trustInProcess(ca: string): void {
  const trusted = tls.getCACertificates('default')
  const { raw } = new X509Certificate(ca)
  // Read each time, because other code may have replaced them.
  const isTrusted = trusted.some(
    (pem) => pem.includes(raw.toString('base64').slice(0, 64)) && new X509Certificate(pem).raw.equals(raw),
  )
  if (!isTrusted) tls.setDefaultCACertificates([...trusted, ca])
}
