import { element } from './element.ts'

const tokens = /(eyJ[\w-]+\.[\w-]+\.[\w-]+)/
/** Comments, strings and keywords of the snippets. */
const highlights = /(\/\/.*|'(?:\\.|[^'\\])*'|\b(?:import|from|const|await|new)\b)/

export function shortenToken(token: string): string {
  return `${token.slice(0, 12)}…${token.slice(-8)}`
}

export function formatJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2)
  } catch {
    return text
  }
}

/** Creates the nodes of a text whose tokens are shortened until they are clicked. */
export function toCode(text: string): DocumentFragment {
  const code = document.createDocumentFragment()
  for (const [index, part] of text.split(tokens).entries()) code.append(index % 2 === 0 ? part : tokenButton(part))
  return code
}

/** Creates the nodes of a snippet, with its syntax highlighted. */
export function toSnippet(text: string): DocumentFragment {
  const code = document.createDocumentFragment()
  for (const [index, part] of text.split(highlights).entries()) {
    if (index % 2 === 0) code.append(part)
    else code.append(element('span', { className: toHighlight(part) }, part))
  }
  return code
}

function toHighlight(part: string): string {
  if (part.startsWith('//')) return 'comment'
  return part.startsWith("'") ? 'string' : 'keyword'
}

function tokenButton(token: string): HTMLButtonElement {
  const properties = { type: 'button', className: 'token', title: 'Show the whole token' } as const
  const button = element('button', properties, shortenToken(token))
  button.addEventListener('click', () => button.replaceWith(token))
  return button
}
