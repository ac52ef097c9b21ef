import { copyButton, element, getElement } from './element.ts'
import { toSnippet } from './code.ts'

const maxLineLength = 52

/** Shows what the page just did, as code of an app. */
export function showSnippet(lines: readonly string[]): void {
  const code = lines.join('\n')
  getElement('snippet').replaceChildren(element('code', {}, toSnippet(code)))
  const title = getElement('snippet-title').parentElement!
  title.querySelector('.copy')?.remove()
  title.append(copyButton('Copy the code', code))
}

/** Formats a call as source text, with an argument in each line if it is long. */
export function toCall(name: string, ...values: readonly unknown[]): string {
  const texts = values.map(toSource)
  const call = `${name}(${texts.join(', ')})`
  return call.length <= maxLineLength ? call : `${name}(\n${texts.map((text) => `  ${text},\n`).join('')})`
}

/** Formats a value as source text. */
function toSource(value: unknown): string {
  if (typeof value === 'string')
    return `'${value.replaceAll(/['\\]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)}'`
  if (Array.isArray(value)) return `[${value.map(toSource).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const members = Object.entries(value).map(([name, member]) => `${name}: ${toSource(member)}`)
  return `{ ${members.join(', ')} }`
}
