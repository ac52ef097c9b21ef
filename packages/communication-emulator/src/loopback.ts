import http from 'node:http'
import https from 'node:https'

const loopbackHost = /^(?:[\w-]+\.)*localhost$|^127(?:\.\d{1,3}){3}$|^\[::1\]$|^::1$/i

/** Whether a host, without a port, is a loopback name or address. */
export function isLoopbackHost(host: string): boolean {
  return loopbackHost.test(host)
}

/** Proxy exceptions for this machine; `.localhost` matches the other names in the emulator's certificate. */
const loopbackExceptions = ['localhost', '.localhost', '127.0.0.1', '::1']

/** Returns variables that keep traffic to loopback names and `hostnames` off proxies, in addition to the exceptions in `environment`. */
export function createProxyExceptions(
  environment: NodeJS.ProcessEnv,
  hostnames: readonly string[] = [],
): Record<string, string> {
  const { NO_PROXY = '', no_proxy = '', no_grpc_proxy } = environment
  const add = (list: string) => addExceptions(list, hostnames)
  const exceptions = add(`${NO_PROXY},${no_proxy}`)
  return {
    NO_PROXY: exceptions,
    no_proxy: exceptions,
    // gRPC ignores the other two if this one is set.
    ...(no_grpc_proxy && { no_grpc_proxy: add(no_grpc_proxy) }),
  }
}

function addExceptions(list: string, hostnames: readonly string[]): string {
  const names = list.split(/[\s,]+/).filter(Boolean)
  // Many programs understand `*` only on its own.
  if (names.includes('*')) return '*'
  return [...new Set([...names, ...loopbackExceptions, ...hostnames])].join(',')
}

/** Makes this process reach loopback names and `hostnames` without a proxy. */
export function bypassProxies(hostnames: readonly string[] = []): void {
  Object.assign(process.env, createProxyExceptions(process.env, hostnames))
  // Node reads the variables only once; versions before 24.14 cannot read them again.
  if (https.globalAgent.options.proxyEnv) http.setGlobalProxyFromEnv?.(process.env)
}
