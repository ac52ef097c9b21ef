import { get } from './api.mjs'
import { closeButtons, createForm, field, openDialog, perform, showNotice } from './action.mjs'
import { copyable, definitions, element, linkTo } from './dom.mjs'
import { formatTime, formatUserId } from './format.mjs'
import { createList } from './list.mjs'

/** @typedef {import('./api.mjs').Token} Token */
/** @typedef {import('./api.mjs').Introspection} Introspection */
/** @typedef {import('./main.mjs').Route} Route */
/** @typedef {import('./main.mjs').View} View */

/** Tokens and identities to show: the newest ones. */
export const maxShown = 1000

const stateKinds = { valid: 'good', expired: 'soon', revoked: 'bad', deleted: 'bad', foreign: 'bad' }

/** @param {Introspection} token */
function createState({ state }) {
  return element('span', { class: `badge ${stateKinds[state]}` }, state)
}

/** Identifies an issued token without its text. @param {Token} token */
function toKey({ communicationUserId, issuedAt, expiresOn, scopes, state }) {
  return JSON.stringify([communicationUserId, issuedAt, expiresOn, scopes, state])
}

/** @param {{ parameters?: URLSearchParams, isOfIdentity?: boolean }} options */
export function createTokenList({ parameters, isOfIdentity = false }) {
  return createList({
    noun: 'tokens',
    key: (token) => toKey({ ...token, state: 'valid' }),
    columns: [
      { name: 'State', cell: createState },
      ...(isOfIdentity ? [] : [{ name: 'Identity', cell: createOwner }]),
      { name: 'Scopes', cell: ({ scopes }) => scopes?.join(', '), isWide: true },
      { name: 'Issued', cell: ({ issuedAt = '' }) => formatTime(issuedAt), isLabelled: true },
      { name: 'Expires', cell: ({ expiresOn = '' }) => formatTime(expiresOn), isLabelled: true },
      { name: 'Text', cell: createRevealButton },
    ],
    states: {
      Valid: ({ state }) => state === 'valid',
      Expired: ({ state }) => state === 'expired',
      Revoked: ({ state }) => state === 'revoked',
    },
    empty: 'No tokens were issued.',
    ...(parameters && { parameters }),
  })
}

/** @param {Token} token */
function createOwner({ communicationUserId: id = '' }) {
  return linkTo('identities', id, formatUserId(id))
}

/** @param {Token} token */
function createRevealButton(token) {
  return element('button', { type: 'button', class: 'small', onclick: () => void reveal(token) }, 'Reveal')
}

/** Shows the text of a token with its claims. @param {Token} token */
async function reveal(token) {
  const { communicationUserId = '', expiresOn = '' } = token
  const revealed = await get('tokens', { communicationUserId, reveal: 'true' }).catch((error) => {
    showNotice(error.message, true)
    return []
  })
  const text = revealed.find((candidate) => toKey(candidate) === toKey(token))?.token
  if (text === undefined) return
  const call = /** @type {const} */ ({ method: 'PUT', path: 'clock', body: { time: expiresOn } })
  const choice = await openDialog(
    'Access token',
    definitions({ State: createState(token), Owner: linkTo('identities', communicationUserId) }),
    copyable(text, 'the token'),
    element('h3', {}, 'Claims'),
    element('pre', {}, formatClaims(text)),
    closeButtons(token.state === 'valid' && element('button', { value: 'expire' }, 'Set the clock to its expiry')),
  )
  if (choice === 'expire') await perform(call, () => `Set the clock to ${formatTime(expiresOn)}.`)
}

/** @param {string} token */
export function formatClaims(token) {
  const [, payload = ''] = token.split('.')
  return JSON.stringify(JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))), undefined, 2)
}

/** @param {Route} route @returns {View} */
export function createTokensView({ parameters }) {
  const list = createTokenList({ parameters })
  const result = element('div', { role: 'status' })
  const form = createForm({
    label: 'Inspect',
    fields: [
      element(
        'div',
        {},
        field('Text of a token', element('textarea', { name: 'token', rows: 3, required: true, spellcheck: 'false' })),
      ),
    ],
    toCall: (values) => ({ method: 'POST', path: 'introspect', body: { token: values['token']?.trim() } }),
    success: (/** @type {Introspection} */ introspection) => {
      result.replaceChildren(describe(introspection))
      return ''
    },
  })
  return {
    title: 'Tokens',
    content: [list.element, element('section', { class: 'card' }, element('h2', {}, 'Inspect a token'), form, result)],
    load: async () => list.show((await get('tokens', { newest: String(maxShown) })).toReversed()),
  }
}

/** @param {Introspection} introspection */
function describe(introspection) {
  const { communicationUserId: id, scopes, issuedAt, expiresOn, resource, accessKey } = introspection
  return definitions({
    State: createState(introspection),
    Owner: id && linkTo('identities', id),
    Scopes: scopes?.join(', '),
    Issued: issuedAt && formatTime(issuedAt),
    Expires: expiresOn && formatTime(expiresOn),
    Resource: resource,
    'Access key': accessKey,
  })
}
