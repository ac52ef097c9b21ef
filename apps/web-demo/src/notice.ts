import { element, getElement, icon } from './element.ts'

/** Part of the page that a notice is about. */
export type Area = 'page' | 'chat' | 'token'

export interface Notice {
  readonly kind: 'success' | 'progress' | 'warning' | 'error'
  readonly text: string
  /** Action that solves the problem. */
  readonly remedy?: string | undefined
  /** Page that the remedy names. */
  readonly link?: string | undefined
  readonly retry?: (() => void) | undefined
}

/** Shows a notice in its area, which screen readers speak. */
export function showNotice(area: Area, { kind, text, remedy, link, retry }: Notice): void {
  const paragraph = element('p', {}, element('strong', {}, text))
  if (remedy !== undefined) paragraph.append(` ${remedy}`)
  if (link !== undefined) {
    paragraph.append(' ', element('a', { href: link, target: '_blank', rel: 'noopener' }, link))
  }
  const region = getElement(`${area}-notice`)
  region.dataset['kind'] = kind
  region.replaceChildren(icon(kind), paragraph)
  if (retry) {
    const button = element('button', { type: 'button' }, 'Retry')
    button.addEventListener('click', retry)
    region.append(button)
  }
}

export function clearNotice(area: Area): void {
  const region = getElement(`${area}-notice`)
  region.replaceChildren()
  delete region.dataset['kind']
}

/** Returns the kind of the notice that is shown. */
export function getNoticeKind(area: Area): string | undefined {
  return getElement(`${area}-notice`).dataset['kind']
}
