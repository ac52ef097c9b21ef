import { get } from './api.mjs'
import { copyable, definitions, element, linkTo } from './dom.mjs'
import { formatTime, formatUserId } from './format.mjs'
import { createList } from './list.mjs'
import { createRequestList } from './requests.mjs'
import { createTokenList, maxShown } from './tokens.mjs'

/** @typedef {import('./api.mjs').Identity} Identity */
/** @typedef {import('./api.mjs').LoggedRequest} LoggedRequest */
/** @typedef {import('./main.mjs').Route} Route */
/** @typedef {import('./main.mjs').View} View */

/** @returns {Promise<Identity[]>} */
function getIdentities() {
  return get(`identities?newest=${maxShown}`)
}

/** @param {Route} route @returns {View} */
export function createIdentitiesView({ parameters }) {
  const list = createList({
    noun: 'identities',
    key: ({ communicationUserId: id }) => id,
    columns: [
      { name: 'Identity', cell: ({ communicationUserId: id }) => linkTo('identities', id, formatUserId(id)) },
      { name: 'Custom id', cell: ({ customId }) => customId, isWide: true, isLabelled: true },
      { name: 'Resource', cell: ({ resource }) => resource },
      { name: 'Created', cell: ({ createdAt }) => formatTime(createdAt), isLabelled: true },
      {
        name: 'Last token',
        cell: ({ lastTokenIssuedAt: at }) => (at === undefined ? '' : formatTime(at)),
        isLabelled: true,
      },
    ],
    empty: 'No identities exist.',
    parameters,
  })
  return {
    title: 'Identities',
    content: [list.element],
    load: async () => list.show((await getIdentities()).toReversed()),
  }
}

/** @param {Route} route @returns {View} */
export function createIdentityView({ id }) {
  const summary = element('div')
  const tokens = createTokenList({ isOfIdentity: true })
  const requests = createRequestList()
  return {
    title: 'Identity',
    parent: 'identities',
    content: [
      copyable(id, 'the id'),
      summary,
      element('h2', {}, 'Tokens'),
      tokens.element,
      element('h2', {}, 'Requests'),
      requests.element,
    ],
    async load() {
      const query = new URLSearchParams({ communicationUserId: id, newest: String(maxShown) })
      const [identities, ownTokens, allRequests] = await Promise.all([
        getIdentities(),
        get(`tokens?${query}`),
        /** @type {Promise<LoggedRequest[]>} */ (get('requests')),
      ])
      summary.replaceChildren(describe(identities.find(({ communicationUserId }) => communicationUserId === id)))
      tokens.show(ownTokens.toReversed())
      requests.show(allRequests.filter(({ communicationUserId }) => communicationUserId === id).toReversed())
    },
  }
}

/** @param {Identity | undefined} identity */
function describe(identity) {
  if (!identity)
    return element('p', {}, `Not among the newest ${maxShown} identities: it was deleted, or belongs to Teams.`)
  const { resource, customId, createdAt } = identity
  return definitions({ Resource: resource, 'Custom id': customId, Created: formatTime(createdAt) })
}
