import { isIP } from 'node:net'

const loopbackHost = /^(?:[\w-]+\.)*localhost$|^127(?:\.\d{1,3}){3}$|^\[::1\]$|^::1$/

/** A name or address of this machine, without a port. */
export function isLoopbackHost(host: string): boolean {
  return loopbackHost.test(host)
}

export function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname)
}

/**
 * Whether a Host header cannot come from a foreign web page. Anyone can point a name of their own at this machine, but no
 * IP address; programs, unlike browsers, may omit the header. `listenHost` is the address that the user chose.
 */
export function isTrustedHost(header: string | undefined, listenHost: string): boolean {
  if (header === undefined) return true
  const host = (header.startsWith('[') ? header.slice(0, header.indexOf(']') + 1) : header.split(':')[0]!).toLowerCase()
  return isLoopbackHost(host) || isIP(host.replace(/^\[|\]$/g, '')) !== 0 || host === listenHost
}
