import { element } from './dom.mjs'
import { replaceParameters } from './route.mjs'

/** @typedef {import('./dom.mjs').Child} Child */
/**
 * @template Item
 * @typedef {object} Column
 * @property {string} name
 * @property {(item: Item) => Child} cell
 * @property {boolean} [isWide] Takes the remaining width.
 * @property {boolean} [isNumber]
 * @property {boolean} [isLabelled] Repeats its name in each row on narrow screens.
 */
/**
 * @template Item
 * @typedef {object} ListOptions
 * @property {string} noun What the list contains, in the plural.
 * @property {readonly Column<Item>[]} columns
 * @property {(item: Item) => string} key Identifies an item.
 * @property {Child} empty Shown while the list has no items.
 * @property {URLSearchParams} [parameters] Filter and state of the route; without them, the list has no filter.
 * @property {Readonly<Record<string, (item: Item) => boolean>>} [states] Named subsets.
 * @property {readonly Child[]} [actions]
 */

/**
 * Creates a table that follows changing items, and keeps focus and selection in unchanged rows. Its filter is part of the
 * address, so that links and reloads keep it.
 *
 * @template Item
 * @param {ListOptions<Item>} options
 */
export function createList({ noun, columns, key, empty, parameters, states = {}, actions = [] }) {
  /** @type {Map<string, { json: string, row: HTMLTableRowElement }>} */
  let rows = new Map()
  /** @type {readonly Item[]} */
  let items = []

  const body = element('tbody')
  const head = element('tr', {}, ...columns.map(({ name, ...column }) => element('th', attributes(column), name)))
  const table = element('table', { 'aria-label': noun }, element('thead', {}, head), body)
  const message = element('div', { class: 'empty' })
  const count = element('p', { class: 'count' })
  const filter = element('input', {
    type: 'search',
    placeholder: `Filter ${noun}`,
    'aria-label': `Filter ${noun}`,
    value: parameters?.get('filter') ?? '',
    spellcheck: 'false',
    autocomplete: 'off',
    oninput: () => choose('filter', filter.value),
  })
  const chips = ['', ...Object.keys(states)].map((state) =>
    element('button', { type: 'button', onclick: () => choose('state', state) }, state || 'All'),
  )
  const hasStates = chips.length > 1
  const toolbar = element(
    'div',
    { class: 'toolbar' },
    filter,
    hasStates && element('div', { class: 'chips', role: 'group', 'aria-label': 'State' }, ...chips),
    element('div', { class: 'actions buttons' }, ...actions),
  )

  /** @param {string} name @param {string} value */
  function choose(name, value) {
    if (value === '') parameters?.delete(name)
    else parameters?.set(name, value)
    replaceParameters(/** @type {URLSearchParams} */ (parameters))
    update()
  }

  function update() {
    const state = parameters?.get('state') ?? ''
    const isInState = states[state] ?? (() => true)
    const words = (parameters?.get('filter') ?? '').toLowerCase().split(/\s+/)
    const shown = items
      .map((item) => ({ item, json: JSON.stringify(item) }))
      .filter(({ item, json }) => isInState(item) && matches(json, words))
    chips.forEach((chip, index) =>
      chip.setAttribute('aria-pressed', String(['', ...Object.keys(states)][index] === state)),
    )
    showRows(shown)
    table.hidden = shown.length === 0
    message.hidden = shown.length > 0
    if (shown.length === 0) message.replaceChildren(items.length === 0 ? empty || '' : `No ${noun} match the filter.`)
    count.textContent = `${shown.length} of ${items.length} ${noun}`
    count.hidden = !parameters || items.length === 0
  }

  /** @param {readonly { readonly item: Item, readonly json: string }[]} shown */
  function showRows(shown) {
    const previous = rows
    rows = new Map(shown.map(({ item, json }) => [key(item), toRow(item, json, previous.get(key(item)))]))
    const kept = new Set(Array.from(rows.values(), ({ row }) => row))
    for (const { row } of previous.values()) if (!kept.has(row)) row.remove()
    // Rows that are in place are not moved, which would take the focus from them.
    let index = 0
    for (const { row } of rows.values()) {
      if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null)
      index++
    }
  }

  /** @param {Item} item @param {string} json @param {{ json: string, row: HTMLTableRowElement } | undefined} previous */
  function toRow(item, json, previous) {
    if (previous?.json === json) return previous
    const cells = columns.map(({ name, cell, ...column }) =>
      element('td', { ...attributes(column), 'data-label': column.isLabelled && name }, cell(item)),
    )
    const row = previous?.row ?? element('tr')
    const focused = [...row.querySelectorAll('a, button')].indexOf(/** @type {Element} */ (document.activeElement))
    row.replaceChildren(...cells)
    if (focused !== -1) /** @type {HTMLElement | undefined} */ (row.querySelectorAll('a, button')[focused])?.focus()
    return { json, row }
  }

  update()
  return {
    element: element('div', { class: 'list' }, parameters && toolbar, count, table, message),
    /** Shows the current items. @param {readonly Item[]} current */
    show(current) {
      items = current
      update()
    },
  }
}

/**
 * Whether the values of an item include all words, and none of the words after a `-`. Ignores durations, whose digits
 * match by accident.
 *
 * @param {string} json
 * @param {readonly string[]} words
 */
function matches(json, words) {
  const values = json.replaceAll(/"\w+":(?:\d+\.\d+)?/g, '').toLowerCase()
  return words.every((word) => (/^-./.test(word) ? !values.includes(word.slice(1)) : values.includes(word)))
}

/** @param {{ isWide?: boolean, isNumber?: boolean }} column */
function attributes({ isWide, isNumber }) {
  return { class: isWide ? 'wide' : isNumber ? 'number' : undefined }
}
