import { get } from './api.mjs'
import { closeButtons, createForm, dangerousButton, field, openDialog } from './action.mjs'
import { copyable, element } from './dom.mjs'
import { createList } from './list.mjs'
import { formatClaims } from './tokens.mjs'

/** @typedef {import('./api.mjs').Assignment} Assignment */
/** @typedef {import('./main.mjs').Route} Route */
/** @typedef {import('./main.mjs').View} View */

/** @param {string} user @param {string} token */
function showSignInToken(user, token) {
  return openDialog(
    `Sign-in token of ${user}`,
    copyable(token, 'the token'),
    element('h3', {}, 'Claims'),
    element('pre', {}, formatClaims(token)),
    closeButtons(),
  )
}

/** @param {string} text */
function splitWords(text) {
  return text.split(/[\s,]+/).filter(Boolean)
}

function createSignInForm() {
  const user = element('input', { name: 'user', required: true, value: 'alice' })
  return createForm({
    label: 'Sign in',
    fields: [
      field('User', user),
      field('Audience', element('input', { name: 'audience', placeholder: 'api://acs-kit' })),
      field('Scopes', element('input', { name: 'scopes', placeholder: 'default' })),
      field('Roles', element('input', { name: 'roles', placeholder: 'none' })),
    ],
    toCall({ user, audience, scopes = '', roles = '' }) {
      const body = {
        user,
        ...(audience && { audience }),
        ...(scopes && { scopes: splitWords(scopes) }),
        ...(roles && { roles: splitWords(roles) }),
      }
      return { method: 'POST', path: 'entra/sign-in', body }
    },
    success(/** @type {{ readonly accessToken: string }} */ { accessToken }) {
      void showSignInToken(user.value, accessToken)
      return `Signed in ${user.value}.`
    },
  })
}

/** @param {Route} route @returns {View} */
export function createSignInView({ parameters }) {
  const assignments = createList({
    noun: 'assignments',
    key: ({ resource, kind, tenantId, objectId }) => [resource, kind, tenantId, objectId].join(' '),
    columns: [
      { name: 'User', cell: ({ objectId }) => element('code', {}, objectId), isWide: true },
      { name: 'Kind', cell: ({ kind }) => kind },
      { name: 'Principal', cell: ({ principalType }) => principalType },
      { name: 'Applications', cell: ({ clientIds }) => clientIds?.join(', '), isLabelled: true },
      { name: 'Resource', cell: ({ resource }) => resource },
    ],
    empty: 'No assignments: Teams and Entra ID users cannot exchange their tokens.',
    parameters,
  })
  const rotate = dangerousButton('Rotate signing key', {
    title: 'Rotate the signing key?',
    text: 'The previous key stays valid until the next rotation.',
    call: { method: 'POST', path: 'entra/rotate-keys' },
    success: () => 'Rotated the signing key.',
  })
  return {
    title: 'Sign-in',
    content: [
      element('section', { class: 'card' }, element('h2', {}, 'Get a sign-in token'), createSignInForm()),
      element('div', { class: 'buttons' }, rotate),
      element('h2', {}, 'Assignments'),
      assignments.element,
    ],
    load: async () => assignments.show(await get('assignments')),
  }
}
