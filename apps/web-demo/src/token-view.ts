import type { TokenResponse } from '@acs-kit/token-client'
import { shortenToken } from './code.ts'
import { copyButton, element, getElement } from './element.ts'

/** Validity of a token, in milliseconds since 1970. */
export interface Lifetime {
  readonly from: number
  readonly to: number
}

/** Remaining lifetime by which the client has refreshed a token. */
const refreshAheadMs = 20 * 60_000
/** Claims in seconds since 1970. */
const timeClaims: ReadonlySet<string> = new Set(['iat', 'nbf', 'exp', 'csi'])

/** Shows a token with its claims. */
export function showToken(token: TokenResponse | undefined): void {
  const scopes = token?.scopes.map((scope) => element('span', { className: 'scope' }, scope)) ?? []
  getElement('properties').replaceChildren(
    toRow('Identity', token?.communicationUserId),
    toRow('Endpoint', token?.endpoint),
    toRow('Token', token?.token, token && shortenToken(token.token)),
    element('div', {}, element('dt', { className: 'small' }, 'Scopes'), element('dd', { id: 'scopes' }, ...scopes)),
  )
  const claims = (token && readClaims(token.token)) ?? {}
  getElement('claims').hidden = Object.keys(claims).length === 0
  getElement('claims')
    .querySelector('dl')!
    .replaceChildren(...Object.entries(claims).map(([name, value]) => toClaim(name, value)))
}

export function showLifetime(lifetime: Lifetime | undefined, now: number): void {
  const bar = getElement<HTMLProgressElement>('lifetime')
  const remainingMs = lifetime ? Math.max(0, lifetime.to - now) : 0
  bar.value = lifetime ? remainingMs / (lifetime.to - lifetime.from) : 0
  bar.dataset['state'] = remainingMs < refreshAheadMs ? 'soon' : 'fresh'
  getElement('remaining').textContent = lifetime ? formatRemaining(remainingMs) : 'No token'
  getElement('expiry').textContent = lifetime ? `expires ${new Date(lifetime.to).toLocaleString()}` : ''
}

export function showEmulatorTime(now: Date): void {
  const time = getElement<HTMLTimeElement>('now')
  time.dateTime = now.toISOString()
  time.textContent = now.toLocaleString()
}

/** Returns the claims of a token, if it is a JWT. */
export function readClaims(token: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as Record<string, unknown>
  } catch {
    return undefined
  }
}

function toRow(name: string, value: string | undefined, shown = value): HTMLElement {
  const id = name.toLowerCase()
  const copy = value === undefined ? undefined : copyButton(`Copy the ${id}`, value)
  return element(
    'div',
    {},
    element('dt', { className: 'small' }, name),
    element('dd', {}, element('code', { id }, shown ?? '–'), copy),
  )
}

function toClaim(name: string, value: unknown): HTMLElement {
  const isTime = timeClaims.has(name)
  return element(
    'div',
    {},
    element('dt', {}, element('code', {}, name)),
    element(
      'dd',
      {},
      element('code', {}, String(value)),
      isTime ? element('span', { className: 'small' }, new Date(Number(value) * 1000).toLocaleString()) : undefined,
    ),
  )
}

function formatRemaining(milliseconds: number): string {
  if (milliseconds === 0) return 'Expired'
  const seconds = Math.floor(milliseconds / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  if (hours > 0) return `${hours} h ${minutes} min left`
  return minutes > 0 ? `${minutes} min ${seconds % 60} s left` : `${seconds} s left`
}
