/** Sampling decisions of the OpenTelemetry specification. `parentbased_` follows the decision of the client, if it made one. */
export const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

export type Sampler = (typeof samplers)[number]

/** Parses the URL of a collector, without its trailing slash. Collectors in a private network often lack TLS. */
export function collectorEndpoint(value: string): string {
  const url = URL.parse(value)
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:'
  if (url && isHttp && !url.username && !url.password && !/[?#]/.test(value)) return url.href.replace(/\/$/, '')
  throw new Error('must be an http or https URL without a user name, password, query or fragment')
}

/** Parses the headers of exports. */
export function exportHeaders(value: string): Readonly<Record<string, string>> {
  const headers = keyValues(value)
  const isValid = Object.entries(headers).every(
    ([name, text]) => /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\x20-\x7e]*$/.test(text),
  )
  if (isValid) return headers
  throw new Error('has an invalid header: use the characters of header names, and percent-encode the values')
}

/** Parses `name=value` pairs, comma-separated and percent-encoded as in W3C Baggage. */
export function keyValues(value: string): Readonly<Record<string, string>> {
  return Object.fromEntries(value.split(',').map(toPair))
}

export function ratio(value: string): number {
  const number = /^(?:\d+|\d*\.\d+)$/.test(value) ? Number(value) : Number.NaN
  if (number <= 1) return number
  throw new Error('must be a number from 0 to 1, such as 0.1')
}

function toPair(text: string, index: number): [name: string, value: string] {
  const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(text) ?? []
  try {
    if (name !== undefined && value !== undefined) return [decodeURIComponent(name), decodeURIComponent(value)]
  } catch {
    // Reported below: the message must not repeat the text.
  }
  throw new Error(`has an invalid entry ${index + 1}: list name=value pairs, comma-separated and percent-encoded`)
}
