/** @param {string} time ISO 8601. */
export function formatTime(time) {
  return time.slice(0, 19).replace('T', ' ')
}

/** @param {number} milliseconds */
export function toIso(milliseconds) {
  return new Date(milliseconds).toISOString()
}

const units = /** @type {const} */ ([
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
])

/** Formats a duration with its two largest units: `1 day 2 hours`. @param {number} milliseconds */
export function formatDuration(milliseconds) {
  let left = Math.round(Math.abs(milliseconds) / 1000) * 1000
  const parts = []
  for (const [name, size] of units) {
    const count = Math.floor(left / size)
    left -= count * size
    if (count > 0) parts.push(`${count.toLocaleString('en')} ${name}${count === 1 ? '' : 's'}`)
  }
  return parts.slice(0, 2).join(' ') || '0 seconds'
}

/** Shortens a communication user id to the part that differs within a resource. @param {string} id */
export function formatUserId(id) {
  const own = id.slice(id.indexOf('_') + 1)
  return own === id ? id : `…${own.slice(0, 18)}`
}

/** @param {number} count @param {string} noun */
export function formatCount(count, noun) {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
