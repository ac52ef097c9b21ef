import { get } from './api.mjs'
import { closeDialog, dangerousButton, showNotice } from './action.mjs'
import { createConnectionsView } from './connections.mjs'
import { createClockView, formatOffset } from './clock.mjs'
import { element, getElement } from './dom.mjs'
import { createFaultsView, formatActive } from './faults.mjs'
import { formatTime } from './format.mjs'
import { createIdentitiesView, createIdentityView } from './identities.mjs'
import { refresh, setLoader, startLive } from './live.mjs'
import { createQuotasView } from './quotas.mjs'
import { createRequestsView, createRequestView } from './requests.mjs'
import { createResourcesView } from './resources.mjs'
import { getListAddress, readRoute } from './route.mjs'
import { createSignInView } from './sign-in.mjs'
import { createThreadsView, createThreadView } from './threads.mjs'
import { askForToken } from './administration-token.mjs'
import { createTokensView } from './tokens.mjs'

/** @typedef {ReturnType<typeof readRoute>} Route */
/**
 * @typedef {object} View
 * @property {string} title
 * @property {string} [parent] Name of the list that it belongs to.
 * @property {readonly (Node | string)[]} content
 * @property {() => Promise<void>} load Loads and shows the current state.
 */

/** @typedef {readonly [label: string, createList: (route: Route) => View, createItem?: (route: Route) => View]} ViewEntry */

/**
 * Views by their name in the address.
 *
 * @type {Readonly<Record<string, ViewEntry>>}
 */
const views = {
  requests: ['Requests', createRequestsView, createRequestView],
  identities: ['Identities', createIdentitiesView, createIdentityView],
  tokens: ['Tokens', createTokensView],
  threads: ['Threads', createThreadsView, createThreadView],
  connections: ['Connections', createConnectionsView],
  clock: ['Clock', createClockView],
  faults: ['Faults', createFaultsView],
  quotas: ['Quotas', createQuotasView],
  resources: ['Resources', createResourcesView],
  'sign-in': ['Sign-in', createSignInView],
}

const links = Object.entries(views).map(([name, [label]]) => element('a', { href: `#/${name}` }, label))

function open() {
  if (!Object.hasOwn(views, readRoute().name)) history.replaceState(undefined, '', '#/requests')
  const route = readRoute()
  const [, createListView, createItemView = createListView] = /** @type {ViewEntry} */ (views[route.name])
  const { title, parent, content, load } = (route.id === '' ? createListView : createItemView)(route)
  document.title = `${title} - acs-kit emulator`
  getElement('view').replaceChildren(
    ...(parent ? [element('a', { href: getListAddress(parent), class: 'parent' }, `← ${views[parent]?.[0]}`)] : []),
    element('h1', {}, title),
    ...content,
  )
  for (const link of links) {
    if (link.hash === `#/${route.name}`) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  setLoader(() => Promise.all([load(), loadState()]))
  void refresh()
}

/** Shows what may explain a failing test in every view: a moved clock and active faults. */
async function loadState() {
  const [clock, faults] = await Promise.all([get('clock'), get('faults')])
  const offset = formatOffset(clock)
  getElement('now').replaceChildren(
    element('time', { datetime: clock.now }, `${formatTime(clock.now)} UTC`),
    offset && element('span', { class: 'badge soon' }, offset),
  )
  const active = getElement('active-faults')
  active.textContent = formatActive(faults)
  active.hidden = active.textContent === ''
}

getElement('nav').append(...links)
getElement('live').before(
  dangerousButton('Reset', {
    title: 'Reset the emulator?',
    text: 'It resets the clock, and deletes everything except access keys, quota limits and the resources of the options.',
    call: { method: 'POST', path: 'reset' },
    success: () => 'Reset the emulator.',
  }),
)
getElement('skip').addEventListener('click', (event) => {
  event.preventDefault()
  getElement('main').focus()
})
addEventListener('hashchange', () => {
  closeDialog()
  showNotice('')
  open()
  getElement('main').focus()
})
await askForToken()
startLive()
open()
