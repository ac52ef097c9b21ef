/**
 * Last address of each list, with its filter.
 *
 * @type {Map<string, string>}
 */
const listAddresses = new Map()

/** Reads the address of a view: `#/requests?state=Rejected` or `#/requests/17`. */
export function readRoute() {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?')
  const [name = '', id = ''] = path.split('/')
  if (id === '') listAddresses.set(name, location.hash)
  return { name, id: decode(id), parameters: new URLSearchParams(query) }
}

/** Returns the address of a list with its last filter. @param {string} name */
export function getListAddress(name) {
  return listAddresses.get(name) ?? `#/${name}`
}

/** Replaces the parameters of the current address, without opening its view again. @param {URLSearchParams} parameters */
export function replaceParameters(parameters) {
  const query = parameters.toString()
  const [path = ''] = location.hash.split('?')
  history.replaceState(undefined, '', `${path}${query === '' ? '' : `?${query}`}`)
  readRoute()
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
