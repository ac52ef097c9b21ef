import { isRestarted } from './api.mjs'
import { getElement } from './dom.mjs'

/** Time between two refreshes of a visible page. */
const intervalMs = 1000

/** @type {() => Promise<unknown>} */
let load = async () => {}
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer
let isPaused = false
let hasFailed = false

/** Sets what a refresh loads. @param {() => Promise<unknown>} loader */
export function setLoader(loader) {
  load = loader
}

/** Loads the current state now, and again every second while the page is visible and not paused. */
export async function refresh() {
  clearTimeout(timer)
  const error = await load().then(
    () => undefined,
    (reason) => reason,
  )
  await showConnection(error)
  clearTimeout(timer)
  if (!isPaused && !document.hidden) timer = setTimeout(() => void refresh(), intervalMs)
}

/** @param {unknown} error */
async function showConnection(error) {
  const isBack = hasFailed && error === undefined
  hasFailed = error !== undefined
  // The address keeps the place.
  if (isBack && (await isRestarted())) location.reload()
  const message = getElement('offline')
  message.hidden = error === undefined
  const text = error instanceof Error ? error.message : ''
  if (message.textContent !== text) message.textContent = text
  getElement('live').dataset['state'] = error ? 'failed' : isPaused ? 'paused' : 'live'
}

/** Starts to follow the emulator, until the user pauses it. */
export function startLive() {
  const button = getElement('live')
  button.addEventListener('click', () => {
    isPaused = !isPaused
    button.setAttribute('aria-pressed', String(!isPaused))
    void refresh()
  })
  document.addEventListener('visibilitychange', () => {
    if (!isPaused) void refresh()
  })
}
