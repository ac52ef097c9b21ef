import { send, toCurl } from './api.mjs'
import { copyable, element, getElement } from './dom.mjs'
import { refresh } from './live.mjs'

/** @typedef {import('./api.mjs').Call} Call */
/** @typedef {import('./dom.mjs').Child} Child */

const noticeMs = 8000
/** @type {ReturnType<typeof setTimeout> | undefined} */
let noticeTimer

/** Shows the result of an action. An error stays until the next one. @param {string} text */
export function showNotice(text, isError = false) {
  clearTimeout(noticeTimer)
  const notice = getElement('notice')
  notice.className = isError ? 'failed' : ''
  notice.textContent = text
  if (!isError && text !== '') noticeTimer = setTimeout(() => (notice.textContent = ''), noticeMs)
}

/**
 * Performs a call, reports its result and refreshes the view.
 *
 * @template Result
 * @param {Call} call
 * @param {(result: Result) => string} success Returns the notice.
 */
export async function perform(call, success) {
  try {
    showNotice(success(/** @type {Result} */ (await send(call))))
  } catch (error) {
    showNotice(error instanceof Error ? error.message : String(error), true)
  } finally {
    await refresh()
  }
}

/**
 * Opens a dialog. Returns the value of the button that closes it, empty if none does.
 *
 * @param {string} title
 * @param {...Child} content Buttons with a value close the dialog.
 * @returns {Promise<string>}
 */
export function openDialog(title, ...content) {
  const dialog = /** @type {HTMLDialogElement} */ (getElement('dialog'))
  const form = element('form', { method: 'dialog' }, element('h2', { id: 'dialog-title' }, title))
  form.append(...content.filter((child) => child !== undefined && child !== false))
  dialog.replaceChildren(form)
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue), { once: true })
  })
}

/** Creates the last row of a dialog that only shows something. @param {...Child} others */
export function closeButtons(...others) {
  const close = element('button', { value: '', class: 'main', autofocus: true }, 'Close')
  return element('div', { class: 'buttons' }, ...others, close)
}

/** Closes the dialog without a value. */
export function closeDialog() {
  const dialog = /** @type {HTMLDialogElement} */ (getElement('dialog'))
  dialog.close('')
}

/**
 * Creates a button whose call needs a confirmation.
 *
 * @template Result
 * @param {string} label
 * @param {{ readonly title: string, readonly text: string, readonly call: Call, readonly success: (result: Result) => string }} options
 */
export function dangerousButton(label, { title, text, call, success }) {
  const ask = async () => {
    const choice = await openDialog(
      title,
      element('p', {}, text),
      preview(call),
      element(
        'div',
        { class: 'buttons' },
        element('button', { value: '', autofocus: true }, 'Cancel'),
        element('button', { value: 'confirm', class: 'danger' }, label),
      ),
    )
    if (choice === 'confirm') await perform(call, success)
  }
  return element('button', { type: 'button', class: 'small', onclick: () => void ask() }, label)
}

/** @param {Call} call */
function preview(call) {
  return element('div', { class: 'preview' }, copyable(toCurl(call), 'the command'))
}

/** @typedef {Readonly<Record<string, string>>} Values */

/**
 * Creates a form for a call, and shows the call as a command.
 *
 * @template Result
 * @param {object} options
 * @param {string} options.label Text of its button.
 * @param {readonly Child[]} options.fields
 * @param {(values: Values) => Call} options.toCall
 * @param {(result: Result) => string} options.success Returns the notice.
 * @param {readonly Child[]} [options.buttons] More buttons.
 */
export function createForm({ label, fields, toCall, success, buttons = [] }) {
  const command = element('div')
  const readCall = () => toCall(/** @type {Values} */ (Object.fromEntries(new FormData(form))))
  const showCommand = () => command.replaceChildren(preview(readCall()))

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault()
    void perform(readCall(), success)
  }

  const form = element(
    'form',
    { class: 'action', oninput: showCommand, onsubmit: submit },
    ...fields,
    element('div', { class: 'buttons' }, element('button', { class: 'main' }, label), ...buttons),
    command,
  )
  showCommand()
  return form
}

/**
 * Creates a labelled field.
 *
 * @param {string} label
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} control
 */
export function field(label, control) {
  return element('label', {}, element('span', {}, label), control)
}
