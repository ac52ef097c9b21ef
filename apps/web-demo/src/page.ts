import type { TokenResponse } from '@acs-kit/token-client'
import type { WireEntry } from './wire.ts'

/** From then on a new token is fetched. */
const soonMs = 20 * 60_000
const mostEntries = 50

export function element<E extends HTMLElement>(id: string): E {
  return document.getElementById(id) as E
}

/** What a screen reader speaks, too. */
export function say(text: string): void {
  element('status').textContent = text
}

export function showPerson(name: string | undefined): void {
  element('welcome').hidden = name !== undefined
  element('desk').hidden = name === undefined
  element('person').hidden = name === undefined
  element('name').textContent = name ?? ''
}

export function showToken(token: TokenResponse | undefined): void {
  element('user').textContent = token?.communicationUserId ?? '–'
  element('token').textContent = token ? `${token.token.slice(0, 12)}…${token.token.slice(-8)}` : '–'
  const scopes = token?.scopes.map((scope) => {
    const chip = document.createElement('span')
    chip.className = 'scope'
    chip.textContent = scope
    return chip
  })
  element('scopes').replaceChildren(...(scopes ?? ['–']))
}

/** The life of a token that was got at some time, as it stands at another; milliseconds since 1970. */
export function showLife(life: { readonly from: number; readonly to: number } | undefined, now: number): void {
  const bar = element<HTMLProgressElement>('life')
  const left = life ? Math.max(0, life.to - now) : 0
  bar.value = life ? left / (life.to - life.from) : 0
  bar.dataset['state'] = left < soonMs ? 'soon' : 'fresh'
  element('left').textContent = life ? inWords(left) : 'none yet'
  element('ends').textContent = life ? `until ${new Date(life.to).toLocaleString()}` : ''
}

function inWords(milliseconds: number): string {
  if (milliseconds === 0) return 'ended'
  const seconds = Math.floor(milliseconds / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  if (hours > 0) return `${hours} h ${minutes} min left`
  return minutes > 0 ? `${minutes} min ${seconds % 60} s left` : `${seconds} s left`
}

export function showRequest({ at, request, answer, durationMs }: WireEntry): void {
  const row = document.createElement('tr')
  for (const text of [at.toLocaleTimeString(), request, String(answer), String(Math.round(durationMs))]) {
    row.insertCell().textContent = text
  }
  row.cells[3]!.className = 'number'
  if (typeof answer !== 'number' || answer >= 400) row.cells[2]!.className = 'failed'
  const rows = element('wire')
  rows.prepend(row)
  if (rows.childElementCount > mostEntries) rows.lastElementChild!.remove()
}

export function showMemory(fromMemory: number, requests: number): void {
  element('memory').textContent =
    `${count(requests, 'request')}; ${count(fromMemory, 'token')} from memory, without one.`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

export function showEmulatedTime(now: Date): void {
  const time = element<HTMLTimeElement>('now')
  time.dateTime = now.toISOString()
  time.textContent = now.toLocaleString()
}
