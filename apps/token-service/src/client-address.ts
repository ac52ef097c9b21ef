import { isIPv4, isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { Address6 } from 'ip-address'

/** Length of the IPv6 prefix of one customer (RFC 6177), who can use any address in it. */
const customerPrefixLength = 56

/**
 * Returns the client's address without its port, as the trusted proxies report it. Falls back to the proxy's own address, so that
 * invalid ones do not get limits of their own.
 */
export function getClientAddress({ ip, ips = [ip] }: FastifyRequest): string {
  let client = 'unknown'
  for (const hop of ips) {
    const address = toAddress(hop)
    if (address === undefined) break
    client = address
  }
  return client
}

/** Returns the key of limits per address: equal for all addresses of one customer. */
export function toAddressGroup(request: FastifyRequest): string {
  const address = getClientAddress(request)
  return isIPv6(address) ? new Address6(`${address}/${customerPrefixLength}`).startAddress().correctForm() : address
}

/** Normalizes `203.0.113.5`, `203.0.113.5:1234` (App Service), `2001:db8::1` and `[2001:db8::1]:1234`. */
function toAddress(hop = ''): string | undefined {
  const address = /^\[(.+)\](?::\d+)?$/.exec(hop)?.[1] ?? hop.replace(/^([\d.]+):\d+$/, '$1')
  if (isIPv4(address)) return address
  if (!isIPv6(address)) return undefined
  const parsed = new Address6(address)
  return parsed.isMapped4() ? parsed.to4().correctForm() : parsed.correctForm()
}
