import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'

const loopbackHost = /^(?:[\w-]+\.)*localhost$|^127(?:\.\d{1,3}){3}$|^\[::1\]$|^::1$/i

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
export function isTrustedHost(header: string | undefined, listenHost?: string): boolean {
  if (header === undefined) return true
  const host = (header.startsWith('[') ? header.slice(0, header.indexOf(']') + 1) : header.split(':')[0]!).toLowerCase()
  return isLoopbackHost(host) || isIP(host.replace(/^\[|\]$/g, '')) !== 0 || host === listenHost?.toLowerCase()
}

/** As lists of proxy exceptions name this machine; `.localhost` covers the other names in the emulator's certificate. */
const loopbackExceptions = ['localhost', '.localhost', '127.0.0.1', '::1']

/** Values of the variables that keep loopback traffic off proxies, including the exceptions that `environment` already has. */
export function proxyExceptions(environment: NodeJS.ProcessEnv): Record<string, string> {
  const { NO_PROXY = '', no_proxy = '', no_grpc_proxy } = environment
  const exceptions = addLoopback(`${NO_PROXY},${no_proxy}`)
  return {
    NO_PROXY: exceptions,
    no_proxy: exceptions,
    // gRPC ignores the others where this one is set.
    ...(no_grpc_proxy && { no_grpc_proxy: addLoopback(no_grpc_proxy) }),
  }
}

function addLoopback(list: string): string {
  const names = list.split(/[\s,]+/).filter(Boolean)
  // Many programs understand `*` only when it stands alone.
  if (names.includes('*')) return '*'
  return [...new Set([...names, ...loopbackExceptions])].join(',')
}

/** Keeps what this process sends to its own machine off proxies. */
export function bypassProxies(): void {
  Object.assign(process.env, proxyExceptions(process.env))
  // Node itself reads the variables only once; before 24.14 it cannot be told to read them again.
  if (https.globalAgent.options.proxyEnv) http.setGlobalProxyFromEnv?.(process.env)
}
