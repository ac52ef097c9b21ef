import { isIP } from 'node:net'
import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'

/** Providers give a customer at least this much of IPv6 (RFC 6177): any address in it is one more that costs nothing. */
const customerPrefixLength = 56

/**
 * Address of the client, without a port: the last one that the trusted proxies vouch for. What is not an address counts as the
 * proxy's that sent it, so that garbage gets no limit of its own.
 */
export function clientAddress({ ip, ips = [ip] }: FastifyRequest): string {
  let client = 'unknown'
  for (const hop of ips) {
    const address = toAddress(hop)
    if (address === undefined) break
    client = address
  }
  return client
}

/** Key of the limits per address: all addresses that one customer of a provider may use. */
export function addressGroup(request: FastifyRequest): string {
  return normalizeIP(clientAddress(request), customerPrefixLength)
}

/** Canonical form of `203.0.113.5`, `203.0.113.5:1234` (App Service's), `2001:db8::1` and `[2001:db8::1]:1234`. */
function toAddress(hop = ''): string | undefined {
  const address = /^\[(.+)\](?::\d+)?$/.exec(hop)?.[1] ?? hop.replace(/^([\d.]+):\d+$/, '$1')
  return isIP(address) ? normalizeIP(address, 128) : undefined
}
