import tls from 'node:tls'

/** Lets this process, and the SDKs in it, trust an authority beside those that it trusts already. */
export function trustAuthority(ca: string): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ca])
}
