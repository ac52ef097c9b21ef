/** @typedef {Node | string | undefined | false} Child */
/** @typedef {string | number | boolean | undefined | ((event: Event) => void)} Property */

/**
 * Creates an element. Properties are attributes; functions are listeners, such as `onclick`.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, Property>>} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties = {}, ...children) {
  const created = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') created.addEventListener(name.slice(2), value)
    else if (value !== undefined && value !== false) created.setAttribute(name, value === true ? '' : String(value))
  }
  created.append(...children.filter((child) => child !== undefined && child !== false))
  return created
}

/** @param {string} id @returns {HTMLElement} */
export function getElement(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id))
}

/**
 * Creates a link to a view.
 *
 * @param {string} view
 * @param {string} id
 * @param {Child} [text]
 */
export function linkTo(view, id, text = id) {
  return element('a', { href: `#/${view}/${encodeURIComponent(id)}`, title: id }, text)
}

/**
 * Creates a list of names and values, without those that are undefined.
 *
 * @param {Readonly<Record<string, Child>>} entries
 */
export function definitions(entries) {
  const rows = Object.entries(entries)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value)))
  return element('dl', {}, ...rows)
}

/**
 * Creates a button that copies a text.
 *
 * @param {() => string} getText
 * @param {string} name What it copies, for screen readers.
 */
export function copyButton(getText, name) {
  const label = document.createTextNode('Copy')
  const copy = async () => {
    await navigator.clipboard.writeText(getText())
    label.data = 'Copied'
    setTimeout(() => (label.data = 'Copy'), 2000)
  }
  return element(
    'button',
    { type: 'button', class: 'small', onclick: () => void copy(), 'aria-label': `Copy ${name}` },
    label,
  )
}

/**
 * Creates a text in a box, with a button that copies it.
 *
 * @param {string} text
 * @param {string} name What it is, for screen readers.
 */
export function copyable(text, name) {
  return element(
    'span',
    { class: 'copyable' },
    element('code', {}, text),
    copyButton(() => text, name),
  )
}
