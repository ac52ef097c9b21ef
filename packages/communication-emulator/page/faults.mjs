import { get } from './api.mjs'
import { createForm, dangerousButton, field, perform } from './action.mjs'
import { element } from './dom.mjs'
import { formatCount } from './format.mjs'
import { createList } from './list.mjs'

/** @typedef {import('./api.mjs').Fault} Fault */
/** @typedef {import('./api.mjs').Operations} Operations */
/** @typedef {import('./main.mjs').Route} Route */
/** @typedef {import('./main.mjs').View} View */

/** Operations of a fault that names none. */
const defaultOperations = 'all except sign-in and resource manager'

/** @param {Fault} fault */
function formatEffect({ latencyMs, status, retryAfterSeconds, reset, phase }) {
  const effects = [
    latencyMs !== undefined && `delay of ${latencyMs} ms`,
    status !== undefined && `status ${status}`,
    retryAfterSeconds !== undefined && `Retry-After ${retryAfterSeconds}`,
    reset && 'closed connection',
    phase === 'after' && 'after the operation',
  ]
  return effects.filter(Boolean).join(', ')
}

/** @param {Fault} fault */
function formatShare({ appliedCount, count, rate, seed }) {
  const limit = count === undefined ? '' : ` of ${count}`
  const share = rate === undefined ? '' : `, ${rate * 100} % of requests${seed === undefined ? '' : ` (seed ${seed})`}`
  return `${appliedCount}${limit}${share}`
}

/** @param {Fault} fault */
function createRemoveButton({ id }) {
  const remove = () => void perform({ method: 'DELETE', path: `faults/${id}` }, () => 'Removed the fault.')
  return element('button', { type: 'button', class: 'small', onclick: remove }, 'Remove')
}

/** @param {string} name @param {Readonly<Record<string, string | number>>} [limits] */
function numberInput(name, limits = {}) {
  return element('input', { name, type: 'number', min: 0, step: 1, ...limits })
}

/** @param {Route} route @returns {View} */
export function createFaultsView({ parameters }) {
  const list = createList({
    noun: 'faults',
    key: ({ id }) => String(id),
    columns: [
      { name: 'Operation', cell: ({ operation }) => operation ?? defaultOperations },
      { name: 'Effect', cell: formatEffect, isWide: true },
      { name: 'Applied', cell: formatShare, isLabelled: true },
      { name: 'Action', cell: createRemoveButton },
    ],
    parameters,
    actions: [
      dangerousButton('Remove all', {
        title: 'Remove all faults?',
        text: 'Delays that they cause also end.',
        call: { method: 'DELETE', path: 'faults' },
        success: () => 'Removed all faults.',
      }),
    ],
    empty: 'No faults: the emulator responds as the service does.',
  })
  const operation = element('select', { name: 'operation' }, element('option', { value: '' }, defaultOperations))
  const form = createForm({
    label: 'Add fault',
    fields: [
      field('Operation', operation),
      field('Status', numberInput('status', { min: 200, max: 599, value: 503 })),
      field('Retry-After in seconds', numberInput('retryAfterSeconds')),
      field('Delay in ms', numberInput('latencyMs')),
      field('Connection', createSelect('reset', { '': 'stays open', true: 'is closed' })),
      field('Phase', createSelect('phase', { '': 'before the operation', after: 'after the operation' })),
      field('Number of requests', numberInput('count', { min: 1, placeholder: 'all' })),
      field('Share of requests', numberInput('rate', { max: 1, step: 'any', placeholder: '1' })),
      field('Seed of the share', numberInput('seed', { placeholder: '0' })),
    ],
    toCall: (values) => ({ method: 'POST', path: 'faults', body: toFault(values) }),
    success: () => 'Added the fault.',
  })
  return {
    title: 'Faults',
    content: [list.element, element('section', { class: 'card' }, element('h2', {}, 'Add a fault'), form)],
    async load() {
      if (operation.length === 1) {
        /** @type {Operations} */
        const { faults } = await get('operations')
        operation.append(...faults.map((name) => element('option', {}, name)))
      }
      list.show(await get('faults'))
    },
  }
}

/** @param {string} name @param {Readonly<Record<string, string>>} options */
function createSelect(name, options) {
  return element(
    'select',
    { name },
    ...Object.entries(options).map(([value, text]) => element('option', { value }, text)),
  )
}

/** Returns the fault of the filled fields. @param {import('./action.mjs').Values} values */
function toFault(values) {
  const filled = Object.entries(values).filter(([, value]) => value !== '')
  return Object.fromEntries(
    filled.map(([name, value]) => {
      if (name === 'operation' || name === 'phase') return [name, value]
      return [name, name === 'reset' ? true : Number(value)]
    }),
  )
}

/** @param {readonly Fault[]} faults */
export function formatActive(faults) {
  const active = faults.filter(({ count = Infinity, appliedCount }) => appliedCount < count)
  return active.length === 0 ? '' : formatCount(active.length, 'fault')
}
