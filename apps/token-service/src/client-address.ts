import { isIP } from 'node:net'
import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'

/** IPv6 prefix that a provider assigns to one customer (RFC 6177), who can use any address in it. */
const customerPrefixLength = 56

/**
 * Address of the client, without a port: the last one that the trusted proxies name. An invalid one counts as that of the
 * proxy which sent it, so that garbage gets no limit of its own.
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

/** Key of limits per address: the same for all addresses of one customer. */
export function addressGroup(request: FastifyRequest): string {
  return normalizeIP(clientAddress(request), customerPrefixLength)
}

/** Canonical form of `203.0.113.5`, `203.0.113.5:1234` (App Service's), `2001:db8::1` and `[2001:db8::1]:1234`. */
function toAddress(hop = ''): string | undefined {
  const address = /^\[(.+)\](?::\d+)?$/.exec(hop)?.[1] ?? hop.replace(/^([\d.]+):\d+$/, '$1')
  return isIP(address) ? normalizeIP(address, 128) : undefined
}
