import { AsyncLocalStorage } from 'node:async_hooks'
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { isLoopbackHost } from './loopback.ts'

const label = String.raw`[a-z\d_](?:[-\w]{0,61}[a-z\d_])?`
const dnsName = new RegExp(String.raw`^(?=.{1,253}$)${label}(?:\.${label})*$`)

export type Hostnames = ReturnType<typeof createHostnames>

/** Returns names in their canonical form. Throws for one that is neither a DNS name nor an IP address. */
export function normalizeHostnames(names: readonly string[]): string[] {
  return names.map((name) => {
    if (isIPv6(name) && !name.includes('%')) return stripBrackets(new URL(`https://[${name}]`).hostname)
    const lower = name.toLowerCase()
    if (isIPv4(name) || dnsName.test(lower)) return lower
    throw new Error(
      `the hostname ${JSON.stringify(name)} is invalid: use a DNS name or an IP address, without scheme and port`,
    )
  })
}

/**
 * Manages the names under which clients reach an emulator, in addition to the loopback ones. Every address in a response has the name
 * that its request used. `listenHost` is the address that the user chose.
 */
export function createHostnames(names: readonly string[], listenHost?: string) {
  const own = new Set(normalizeHostnames(names))
  /** Name that the current request used. */
  const requested = new AsyncLocalStorage<string | undefined>()

  /**
   * Whether a Host header cannot come from a page of another site. Anyone can point their own name, but not an IP address, at
   * this machine; programs, unlike browsers, may omit the header.
   */
  function isTrusted(header: string | undefined): boolean {
    if (header === undefined) return true
    const host = readName(header)
    return isLoopbackHost(host) || isIP(host) !== 0 || own.has(host) || host === listenHost?.toLowerCase()
  }

  /** Whether an origin has a loopback name, or one of these. */
  function isOwnOrigin(origin: string): boolean {
    if (!URL.canParse(origin)) return false
    const { hostname } = new URL(origin)
    return isLoopbackHost(hostname) || own.has(stripBrackets(hostname))
  }

  /** Runs the work of a request. */
  function run<Result>(header: string | undefined, work: () => Result): Result {
    if (own.size === 0) return work()
    const name = header === undefined ? undefined : readName(header)
    return requested.run(name !== undefined && own.has(name) ? name : undefined, work)
  }

  return {
    isTrusted,
    isOwnOrigin,
    run,
    /** Returns the origin of a port under the name that the current request used, or under `localhost`. */
    toOrigin: (port: number) => formatOrigin(requested.getStore() ?? 'localhost', port),
    /** Returns the origins of a port under all names. */
    toOrigins: (port: number) => ['localhost', ...own].map((name) => formatOrigin(name, port)),
    names: [...own],
    /** The names as in URLs. */
    urlHosts: [...own].map(toUrlHost),
  }
}

export function formatOrigin(name: string, port: number): string {
  return `https://${toUrlHost(name)}:${port}`
}

function toUrlHost(name: string): string {
  return isIPv6(name) ? `[${name}]` : name
}

/** Returns the name in a Host header. */
function readName(header: string): string {
  const host = header.startsWith('[') ? header.slice(0, header.indexOf(']') + 1) : header.split(':')[0]!
  return stripBrackets(host.toLowerCase())
}

function stripBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '')
}
