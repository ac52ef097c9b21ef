/**
 * Returns the URL without query and fragment, with a trailing slash. Throws a `TypeError` if sign-in tokens would be sent
 * unencrypted to another machine. Uses a pattern, since `URL` is incomplete in React Native.
 */
export function toBaseUrl(url: string | URL, allowInsecureConnection = false): string {
  const address = String(url).replace(/\/?([?#].*)?$/s, '/')
  const pattern = allowInsecureConnection
    ? /^https?:/i
    : /^(https:|http:\/\/([\w.-]+\.localhost|localhost|127(\.\d+){3}|\[::1])(:\d+)?\/)/i
  if (!pattern.test(address)) throw new TypeError('url must begin with https://.')
  return address
}
