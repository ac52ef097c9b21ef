import { get } from './api.mjs'
import { createForm, field, perform } from './action.mjs'
import { element } from './dom.mjs'
import { createList } from './list.mjs'

/** @typedef {import('./api.mjs').Limit} Limit */
/** @typedef {import('./api.mjs').Quotas} Quotas */
/** @typedef {import('./main.mjs').Route} Route */
/** @typedef {import('./main.mjs').View} View */

/** Scopes of a count. @type {Readonly<Record<string, string>>} */
const scopes = { resource: 'resource', user: 'user', thread: 'thread', userInThread: 'user in each thread' }

/** @param {number | readonly Limit[]} limits */
function formatLimits(limits) {
  const list = typeof limits === 'number' ? [{ calls: limits, seconds: 30 }] : limits
  return list
    .map(({ calls, seconds, per = 'resource' }) => `${calls} in ${seconds} seconds per ${scopes[per]}`)
    .join(', ')
}

/** @param {object} body */
function toCall(body) {
  return /** @type {const} */ ({ method: 'PUT', path: 'quotas', body })
}

/** @param {string} label @param {object} body @param {string} success */
function createSetButton(label, body, success) {
  const set = () => void perform(toCall(body), () => success)
  return element('button', { type: 'button', class: 'small', onclick: set }, label)
}

/** @param {Route} route @returns {View} */
export function createQuotasView({ parameters }) {
  /** @type {Quotas} */
  let quotas = {}

  /** @param {readonly [operation: string, limits: number | readonly Limit[]]} entry */
  function createRemoveButton([operation]) {
    const remove = () => {
      const { [operation]: _removed, ...others } = quotas
      void perform(toCall(others), () => `Removed the limit of ${operation}.`)
    }
    return element('button', { type: 'button', class: 'small', onclick: remove }, 'Remove')
  }

  const list = createList({
    noun: 'limits',
    key: ([operation]) => operation,
    columns: [
      { name: 'Operation', cell: ([operation]) => operation },
      { name: 'Limit', cell: ([, limits]) => formatLimits(limits), isWide: true },
      { name: 'Action', cell: createRemoveButton },
    ],
    parameters,
    actions: [
      createSetButton('Documented limits', { documented: true }, 'Set the documented limits.'),
      createSetButton('No limits', {}, 'Removed all limits.'),
    ],
    empty: 'No limits: the emulator accepts any number of calls.',
  })
  const operation = element('select', { name: 'operation', required: true })
  const form = createForm({
    label: 'Set limit',
    fields: [
      field('Operation', operation),
      field('Calls', element('input', { name: 'calls', type: 'number', min: 0, step: 1, value: 10, required: true })),
      field(
        'In seconds',
        element('input', { name: 'seconds', type: 'number', min: 1, step: 1, value: 30, required: true }),
      ),
      field('Per', createScopeSelect()),
    ],
    toCall({ operation: name = '', calls, seconds, per }) {
      return toCall({ ...quotas, [name]: [{ calls: Number(calls), seconds: Number(seconds), per }] })
    },
    success: () => 'Set the limit.',
  })
  return {
    title: 'Quotas',
    content: [
      list.element,
      element('section', { class: 'card' }, element('h2', {}, 'Set the limit of an operation'), form),
    ],
    async load() {
      quotas = await get('quotas')
      list.show(Object.entries(quotas))
      if (operation.length > 0) return
      const { quotas: names } = await get('operations')
      operation.append(...names.map((name) => element('option', {}, name)))
      form.dispatchEvent(new Event('input'))
    },
  }
}

function createScopeSelect() {
  const options = Object.entries(scopes).map(([value, text]) => element('option', { value }, text))
  return element('select', { name: 'per' }, ...options)
}
