import { get } from './api.mjs'
import { createForm, field } from './action.mjs'
import { copyable, definitions, element, linkTo } from './dom.mjs'
import { formatTime, formatUserId } from './format.mjs'
import { createList } from './list.mjs'
import { createThreadList } from './threads.mjs'
import { createRelatedRequests } from './requests.mjs'
import { createTokenList, maxShown } from './tokens.mjs'

/** @typedef {import('./api.mjs').Connection} Connection */
/** @typedef {import('./api.mjs').Identity} Identity */
/** @typedef {import('./api.mjs').LoggedRequest} LoggedRequest */
/** @typedef {import('./main.mjs').Route} Route */
/** @typedef {import('./main.mjs').View} View */

function getIdentities() {
  return get('identities', { newest: String(maxShown) })
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
  const form = createForm({
    label: 'Create identity',
    fields: [field('Custom id', element('input', { name: 'customId', placeholder: 'none' }))],
    toCall: ({ customId }) => ({ method: 'POST', path: 'identities', body: { ...(customId && { customId }) } }),
    success: () => 'Created the identity.',
  })
  return {
    title: 'Identities',
    content: [list.element, element('section', { class: 'card' }, element('h2', {}, 'Create an identity'), form)],
    load: async () => list.show((await getIdentities()).toReversed()),
  }
}

/** @param {Route} route @returns {View} */
export function createIdentityView({ id }) {
  const summary = element('div')
  const tokens = createTokenList({ isOfIdentity: true })
  const threads = createThreadList()
  const requests = createRelatedRequests(id)
  return {
    title: 'Identity',
    parent: 'identities',
    content: [
      copyable(id, 'the id'),
      summary,
      element('h2', {}, 'Tokens'),
      tokens.element,
      element('h2', {}, 'Threads'),
      threads.element,
      element('h2', {}, 'Requests'),
      requests.element,
    ],
    async load() {
      const query = { communicationUserId: id }
      const [identities, ownTokens, ownThreads, connections, allRequests] = await Promise.all([
        getIdentities(),
        get('tokens', { ...query, newest: String(maxShown) }),
        get('chat/threads', query),
        get('chat/connections'),
        get('requests'),
      ])
      summary.replaceChildren(
        describe(
          identities.find(({ communicationUserId }) => communicationUserId === id),
          connections.filter(({ communicationUserId }) => communicationUserId === id),
        ),
      )
      threads.show(ownThreads.toReversed())
      tokens.show(ownTokens.toReversed())
      requests.show(allRequests.filter(({ communicationUserId }) => communicationUserId === id).toReversed())
    },
  }
}

/** @param {Identity | undefined} identity @param {readonly Connection[]} connections */
function describe(identity, connections) {
  if (!identity)
    return element('p', {}, `Not among the newest ${maxShown} identities: it was deleted, or belongs to Teams.`)
  const { resource, customId, createdAt } = identity
  return definitions({
    Resource: resource,
    'Custom id': customId,
    Created: formatTime(createdAt),
    'Chat connections': connections.length === 0 ? undefined : String(connections.length),
  })
}
