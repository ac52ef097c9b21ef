/**
 * Returns whether a hostname, as `URL` writes it, names this machine: `localhost`, a name below it, or a loopback address.
 *
 * @param hostname Hostname without a port, in lower case, an IPv6 address in brackets.
 * @returns Whether the hostname is a loopback name or address.
 * @example
 * isLoopback(new URL('http://LOCALHOST:8080/').hostname) // true
 */
export function isLoopback(hostname: string): boolean {
  return /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}

/**
 * Returns whether a text is an origin exactly as browsers send it in the `Origin` header.
 *
 * @param text Text to check.
 * @returns Whether the text is a scheme, host and port, without a path or a trailing slash.
 * @example
 * isOrigin('https://app.example.com') // true
 * isOrigin('https://app.example.com/') // false
 * isOrigin('https://*.example.com') // false
 */
export function isOrigin(text: string): boolean {
  // `URL` accepts an asterisk in a host.
  return !text.includes('*') && URL.canParse(text) && new URL(text).origin === text
}

/**
 * Creates a test for origins that `ALLOWED_ORIGINS` lists.
 *
 * @param allowed Value of the setting.
 * @returns Function that returns whether an `Origin` header is listed, by itself or with `*` as its port.
 * @example
 * createOriginMatcher(['http://localhost:*'])('http://localhost:5173') // true
 */
export function createOriginMatcher(allowed: readonly string[]): (origin: string) => boolean {
  const entries = new Set(allowed)
  return (origin) => entries.has(origin) || entries.has(origin.replace(/:\d+$|$/, ':*'))
}

/** URLs accepted by `isTrustworthy`, for messages. */
export const trustworthyUrl = 'an https URL without a user name or password (http only for this machine)'

export function isTrustworthy(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, hostname, username, password } = new URL(value)
  if (username || password) return false
  // Not every resolver keeps the names below localhost on this machine.
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname) && !hostname.endsWith('.localhost'))
}
