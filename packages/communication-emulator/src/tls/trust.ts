import tls from 'node:tls'

const trusted = new Set<string>()

/** Lets this process trust an authority beside those that it trusts already. */
export function trustInProcess(ca: string): void {
  if (trusted.has(ca)) return
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ca])
  trusted.add(ca)
}
