import type { TokenResponse } from '@acs-kit/token-client'
import type { LoggedRequest } from './logging-fetch.ts'

/** Validity of a token, in milliseconds since 1970. */
export interface Lifetime {
  readonly from: number
  readonly to: number
}

/** Remaining lifetime by which the client has refreshed a token. */
const refreshAheadMs = 20 * 60_000
const maxRequests = 50

export function getElement<E extends HTMLElement>(id: string): E {
  return document.getElementById(id) as E
}

/** Shows a message, which screen readers speak. */
export function showStatus(text: string): void {
  getElement('status').textContent = text
}

export function showUser(name: string | undefined): void {
  getElement('welcome').hidden = name !== undefined
  getElement('panel').hidden = name === undefined
  getElement('account').hidden = name === undefined
  getElement('name').textContent = name ?? ''
}

export function showToken(token: TokenResponse | undefined): void {
  getElement('user').textContent = token?.communicationUserId ?? '–'
  getElement('token').textContent = token ? `${token.token.slice(0, 12)}…${token.token.slice(-8)}` : '–'
  const scopes = token?.scopes.map((scope) => {
    const chip = document.createElement('span')
    chip.className = 'scope'
    chip.textContent = scope
    return chip
  })
  getElement('scopes').replaceChildren(...(scopes ?? ['–']))
}

export function showLifetime(lifetime: Lifetime | undefined, now: number): void {
  const bar = getElement<HTMLProgressElement>('lifetime')
  const remainingMs = lifetime ? Math.max(0, lifetime.to - now) : 0
  bar.value = lifetime ? remainingMs / (lifetime.to - lifetime.from) : 0
  bar.dataset['state'] = remainingMs < refreshAheadMs ? 'soon' : 'fresh'
  getElement('remaining').textContent = lifetime ? formatRemaining(remainingMs) : 'No token'
  getElement('expiry').textContent = lifetime ? `expires ${new Date(lifetime.to).toLocaleString()}` : ''
}

function formatRemaining(milliseconds: number): string {
  if (milliseconds === 0) return 'Expired'
  const seconds = Math.floor(milliseconds / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  if (hours > 0) return `${hours} h ${minutes} min left`
  return minutes > 0 ? `${minutes} min ${seconds % 60} s left` : `${seconds} s left`
}

export function showRequest({ at, route, result, durationMs }: LoggedRequest): void {
  const row = document.createElement('tr')
  for (const text of [at.toLocaleTimeString(), route, String(result), String(Math.round(durationMs))]) {
    row.insertCell().textContent = text
  }
  row.cells[3]!.className = 'number'
  if (typeof result !== 'number' || result >= 400) row.cells[2]!.className = 'failed'
  const rows = getElement('requests')
  rows.prepend(row)
  if (rows.childElementCount > maxRequests) rows.lastElementChild!.remove()
}

export function showCounts(requests: number, cached: number): void {
  getElement('counts').textContent = `Requests sent: ${requests} · Tokens from the cache: ${cached}`
}

export function showEmulatorTime(now: Date): void {
  const time = getElement<HTMLTimeElement>('now')
  time.dateTime = now.toISOString()
  time.textContent = now.toLocaleString()
}
