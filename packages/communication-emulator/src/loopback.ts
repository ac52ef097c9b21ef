import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'

const loopbackHost = /^(?:[\w-]+\.)*localhost$|^127(?:\.\d{1,3}){3}$|^\[::1\]$|^::1$/i

/** Whether a host, without a port, is a loopback name or address. */
export function isLoopbackHost(host: string): boolean {
  return loopbackHost.test(host)
}

export function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname)
}

/**
 * Whether a Host header cannot come from a page of another site. Anyone can point their own name, but not an IP address, at
 * this machine; programs, unlike browsers, may omit the header. `listenHost` is the address that the user chose.
 */
export function isTrustedHost(header: string | undefined, listenHost?: string): boolean {
  if (header === undefined) return true
  const host = (header.startsWith('[') ? header.slice(0, header.indexOf(']') + 1) : header.split(':')[0]!).toLowerCase()
  return isLoopbackHost(host) || isIP(host.replace(/^\[|\]$/g, '')) !== 0 || host === listenHost?.toLowerCase()
}

/** Proxy exceptions for this machine; `.localhost` matches the other names in the emulator's certificate. */
const loopbackExceptions = ['localhost', '.localhost', '127.0.0.1', '::1']

/** Returns variables that keep loopback traffic off proxies, in addition to the exceptions in `environment`. */
export function createProxyExceptions(environment: NodeJS.ProcessEnv): Record<string, string> {
  const { NO_PROXY = '', no_proxy = '', no_grpc_proxy } = environment
  const exceptions = addLoopback(`${NO_PROXY},${no_proxy}`)
  return {
    NO_PROXY: exceptions,
    no_proxy: exceptions,
    // gRPC ignores the other two if this one is set.
    ...(no_grpc_proxy && { no_grpc_proxy: addLoopback(no_grpc_proxy) }),
  }
}

function addLoopback(list: string): string {
  const names = list.split(/[\s,]+/).filter(Boolean)
  // Many programs understand `*` only on its own.
  if (names.includes('*')) return '*'
  return [...new Set([...names, ...loopbackExceptions])].join(',')
}

/** Makes this process reach loopback addresses without a proxy. */
export function bypassProxies(): void {
  Object.assign(process.env, createProxyExceptions(process.env))
  // Node reads the variables only once; versions before 24.14 cannot read them again.
  if (https.globalAgent.options.proxyEnv) http.setGlobalProxyFromEnv?.(process.env)
}
