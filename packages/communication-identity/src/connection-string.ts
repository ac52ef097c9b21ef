export interface ConnectionString {
  /** `https://<host>[:<port>]`, without a trailing slash. */
  readonly endpoint: string
  /** Base64. */
  readonly accessKey: string
}

/**
 * Parses `endpoint=https://<host>/;accesskey=<base64>`, in either order and any case of the names.
 * Throws a description of what is wrong that repeats nothing of the text: the SDKs print a mistyped one whole, key included.
 */
export function parseConnectionString(text: string): ConnectionString {
  const parts = new Map<string, string>()
  for (const part of text.trim().split(';').filter(Boolean)) {
    const index = part.indexOf('=')
    const name = part.slice(0, Math.max(index, 0)).trim().toLowerCase()
    if (name !== 'endpoint' && name !== 'accesskey')
      throw malformed('has a part that is neither endpoint= nor accesskey=')
    if (parts.has(name)) throw malformed(`has more than one ${name}=`)
    parts.set(name, part.slice(index + 1).trim())
  }
  const endpoint = parts.get('endpoint')
  const accessKey = parts.get('accesskey')
  if (!endpoint) throw malformed('lacks endpoint=')
  if (!accessKey) throw malformed('lacks accesskey=')
  if (Buffer.from(accessKey, 'base64').toString('base64') !== accessKey) {
    throw malformed('has an access key that is not base64: was it cut off?')
  }
  return { endpoint: parseEndpoint(endpoint, (problem) => malformed(`has an endpoint that ${problem}`)), accessKey }
}

/** Checks an endpoint and takes its trailing slash off. */
export function parseEndpoint(text: string, fail = (problem: string) => new Error(`the endpoint ${problem}`)): string {
  if (!URL.canParse(text)) throw fail('is no URL')
  const url = new URL(text)
  if (url.protocol !== 'https:') throw fail('does not begin with https://')
  if (url.pathname !== '/' || url.search || url.hash || url.username || url.password) {
    throw fail('has more than a host: the SDKs take none with a path')
  }
  return url.origin
}

function malformed(problem: string): Error {
  return new Error(
    `the connection string ${problem}. It must read endpoint=https://<resource>.communication.azure.com/;accesskey=<key>, as the Azure portal shows it under Keys`,
  )
}
