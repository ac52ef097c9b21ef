/** Parts of a connection string. */
export interface ConnectionString {
  /** `https://<host>[:<port>]`, without a trailing slash. */
  readonly endpoint: string
  /** Access key in base64. */
  readonly accessKey: string
}

/** Converts a description such as `lacks endpoint=` to the error to throw. */
type Fail = (problem: string) => Error

/** Name of a connection string in JSON or a shell, up to its first part. */
const assignment = /^[\w\s]+[:=]\s*(?=(?:endpoint|accesskey)\s*=)/i

/**
 * Parses the connection string of a resource, `endpoint=https://<host>/;accesskey=<base64>`. Accepts either order, names in
 * any case, and text that was copied with quotes, line breaks or a variable name.
 *
 * @param text Text of the connection string.
 * @param fail Creates the error from a description of what is wrong, such as `lacks endpoint=: copy it again from …`.
 * @returns The endpoint and the access key.
 * @throws {Error} When the text is malformed. Unlike the SDKs' own errors, it never repeats the text, which contains the key.
 * @example
 * const { endpoint, accessKey } = parseConnectionString(process.env['COMMUNICATION_SERVICES_CONNECTION_STRING'] ?? '')
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

/**
 * Validates the endpoint of a resource.
 *
 * @param text URL of the endpoint.
 * @param fail Creates the error from a description of what is wrong, such as `is not a URL`.
 * @returns The endpoint without a trailing slash.
 * @throws {Error} When the text is not an https URL, or has more than a host.
 * @example
 * parseEndpoint('https://contoso.communication.azure.com/') // 'https://contoso.communication.azure.com'
 */
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
