export interface ConnectionString {
  /** `https://<host>[:<port>]`, without a trailing slash. */
  readonly endpoint: string
  /** Base64. */
  readonly accessKey: string
}

/** Turns a description of what is wrong, such as `lacks endpoint=`, into the error to throw. */
type Fail = (problem: string) => Error

/** Name that a connection string has in JSON or in a shell, up to its first part. */
const assignment = /^[\w\s]+[:=]\s*(?=(?:endpoint|accesskey)\s*=)/i

/**
 * Parses `endpoint=https://<host>/;accesskey=<base64>`, in either order and any case of the names, also as part of a line
 * that was copied with its quotes, line breaks or name. The error repeats nothing of the text: the SDKs print a mistyped
 * one whole, key included.
 */
export function parseConnectionString(
  text: string,
  fail: Fail = (problem) => new Error(`the connection string ${problem}`),
): ConnectionString {
  const malformed: Fail = (problem) =>
    fail(
      `${problem}: copy it again from Keys in the Azure portal, where it reads endpoint=https://<resource>.communication.azure.com/;accesskey=<key>`,
    )
  const parts = new Map<string, string>()
  for (const part of unwrap(text).replace(assignment, '').split(';')) {
    if (part.trim() === '') continue
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
    throw malformed('has an access key that is not base64, or was cut off')
  }
  return { endpoint: parseEndpoint(endpoint, (problem) => malformed(`has an endpoint that ${problem}`)), accessKey }
}

/** Checks an endpoint and removes its trailing slash. */
export function parseEndpoint(text: string, fail: Fail = (problem) => new Error(`the endpoint ${problem}`)): string {
  const address = unwrap(text)
  if (!URL.canParse(address)) throw fail('is not a URL')
  const url = new URL(address)
  if (url.protocol !== 'https:') throw fail('does not begin with https://')
  if (url.pathname !== '/' || url.search || url.hash || url.username || url.password) {
    throw fail('has more than a host, which the SDKs reject')
  }
  return url.origin
}

/** Joins lines, and removes quotes and the comma that follows a member of JSON. */
function unwrap(text: string): string {
  const lines = text.split('\n').map((line) => line.trim())
  return lines
    .join('')
    .replace(/["'`“”‘’]/g, '')
    .replace(/\s*,$/, '')
}
