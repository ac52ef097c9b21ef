import { get } from './api.mjs'
import { createForm, dangerousButton, field, perform } from './action.mjs'
import { element } from './dom.mjs'
import { formatCount, formatUserId } from './format.mjs'
import { createList } from './list.mjs'

/** @typedef {import('./api.mjs').Fault} Fault */
/** @typedef {import('./main.mjs').Route} Route */
/** @typedef {import('./main.mjs').View} View */

/** Operations of a fault that names none. */
const defaultOperations = 'identity operations'

/** @param {Fault} fault */
function formatEffect({ latencyMs, status, retryAfterSeconds, reset, drop, duplicate, phase, communicationUserId }) {
  const effects = [
    latencyMs !== undefined && `delay of ${latencyMs} ms`,
    status !== undefined && `status ${status}`,
    retryAfterSeconds !== undefined && `Retry-After ${retryAfterSeconds}`,
    reset && 'closed connection',
    drop && 'lost',
    duplicate && 'sent twice',
    phase === 'after' && 'after the operation',
    communicationUserId !== undefined && `only to ${formatUserId(communicationUserId)}`,
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
  const operations = element('optgroup', { label: 'Operations' }, element('option', { value: '' }, defaultOperations))
  const events = element('optgroup', { label: 'Events of chat' })
  const operation = element('select', { name: 'operation' }, operations, events)
  const status = numberInput('status', { min: 200, max: 599, value: 503 })
  const retryAfter = numberInput('retryAfterSeconds')
  const delivery = createSelect('delivery', { '': 'is sent', drop: 'is lost', duplicate: 'is sent twice' })
  const recipient = element('input', { name: 'communicationUserId', placeholder: 'all' })

  /** Disables the fields that do not apply to the chosen operation or event. */
  function disableFields() {
    const isEvent = operation.selectedOptions[0]?.parentElement === events
    for (const control of [status, retryAfter]) control.disabled = isEvent
    for (const control of [delivery, recipient]) control.disabled = !isEvent
  }

  operation.addEventListener('input', disableFields)
  disableFields()
  const form = createForm({
    label: 'Add fault',
    fields: [
      field('Operation', operation),
      field('Status', status),
      field('Retry-After in seconds', retryAfter),
      field('Event', delivery),
      field('Id of its recipient', recipient),
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
        const names = await get('operations')
        operations.append(...names.faults.map((name) => element('option', {}, name)))
        events.append(...names.events.map((name) => element('option', {}, name)))
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

const textMembers = new Set(['operation', 'phase', 'communicationUserId'])

/** Returns the fault of the filled fields. @param {import('./action.mjs').Values} values */
function toFault(values) {
  const filled = Object.entries(values).filter(([, value]) => value !== '')
  return Object.fromEntries(
    filled.map(([name, value]) => {
      if (name === 'delivery') return [value, true]
      if (name === 'reset') return [name, true]
      return [name, textMembers.has(name) ? value : Number(value)]
    }),
  )
}

/** @param {readonly Fault[]} faults */
export function formatActive(faults) {
  const active = faults.filter(({ count = Infinity, appliedCount }) => appliedCount < count)
  return active.length === 0 ? '' : formatCount(active.length, 'fault')
}
