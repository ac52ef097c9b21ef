export function getElement<E extends HTMLElement>(id: string): E {
  return document.getElementById(id) as E
}

type Child = Node | string | undefined

/** Creates an element with properties and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const created = Object.assign(document.createElement(tag), properties)
  created.append(...children.filter((child) => child !== undefined))
  return created
}

type IconName = 'copy' | 'success' | 'error' | 'warning' | 'progress'

/** Creates an icon of `index.html` that screen readers ignore. */
export function icon(name: IconName): SVGElement {
  const [svg, use] = ['svg', 'use'].map((tag) => document.createElementNS('http://www.w3.org/2000/svg', tag))
  use!.setAttribute('href', `#icon-${name}`)
  svg!.setAttribute('class', 'icon')
  svg!.setAttribute('aria-hidden', 'true')
  svg!.append(use!)
  return svg as SVGElement
}

/** Replaces only the children that changed, so that the focus stays and screen readers speak only what is new. */
export function replaceChanged(parent: HTMLElement, children: readonly HTMLElement[]): void {
  const ids = new Set(children.map(({ id }) => id))
  const removed = [...parent.children].filter(({ id }) => !ids.has(id))
  for (const old of removed) old.remove()
  for (const [index, child] of children.entries()) {
    const old = parent.children[index]
    if (old?.id !== child.id) parent.insertBefore(child, old ?? null)
    else if (!old.isEqualNode(child)) old.replaceWith(child)
  }
  while (parent.childElementCount > children.length) parent.lastElementChild!.remove()
}

/** Creates a button that copies a text. */
export function copyButton(label: string, text: string): HTMLButtonElement {
  const button = element('button', { type: 'button', className: 'copy', ariaLabel: label, title: label }, icon('copy'))
  const show = (name: IconName, current: string) => {
    button.replaceChildren(icon(name))
    button.ariaLabel = current
  }
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text)
      show('success', 'Copied')
    } catch {
      show('error', 'The browser does not permit copying')
    }
    setTimeout(() => show('copy', label), 1500)
  }
  button.addEventListener('click', () => void copy())
  return button
}

/** Creates a button whose action the listener of its list runs. */
export function actionButton(action: string, argument: string, text: string, label = text): HTMLButtonElement {
  const button = element('button', { type: 'button', ariaLabel: label, title: label }, text)
  Object.assign(button.dataset, { action, argument })
  return button
}
