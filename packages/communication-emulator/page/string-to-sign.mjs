import { copyButton, element } from './dom.mjs'

const [emulator, client] = ['The emulator signed', 'The client signed']
const lineNames = ['Method', 'Path and query', 'Header values']

/** Shows each header value on a line of its own. @param {string} line */
function splitValues(line) {
  return line.replaceAll(';', ';\n')
}

/**
 * Creates a table of the string to sign, line by line, next to that of the client if it sent one.
 *
 * @param {string} stringToSign
 * @param {unknown} clientStringToSign
 */
export function createStringToSign(stringToSign, clientStringToSign) {
  const lines = stringToSign.split('\n')
  const clientLines = typeof clientStringToSign === 'string' ? clientStringToSign.split('\n') : undefined
  const count = Math.max(lines.length, clientLines?.length ?? 0)
  const rows = Array.from({ length: count }, (_, index) => {
    const [line = '', clientLine] = [lines[index], clientLines && (clientLines[index] ?? '')]
    const isDifferent = clientLine !== undefined && clientLine !== line
    return element(
      'tr',
      { class: isDifferent && 'different' },
      element('th', { scope: 'row' }, `${index + 1} ${lineNames[index] ?? ''}`),
      element('td', { 'data-label': clientLines && emulator }, element('code', {}, splitValues(line))),
      clientLine !== undefined && element('td', { 'data-label': client }, element('code', {}, splitValues(clientLine))),
    )
  })
  const names = ['Line', emulator, ...(clientLines ? [client] : [])]
  return element(
    'div',
    { class: 'string-to-sign' },
    element(
      'h3',
      {},
      'String to sign ',
      copyButton(() => stringToSign, 'the string that the emulator signed'),
    ),
    element(
      'table',
      { 'aria-label': 'String to sign' },
      element('thead', {}, element('tr', {}, ...names.map((name) => element('th', { scope: 'col' }, name)))),
      element('tbody', {}, ...rows),
    ),
  )
}
