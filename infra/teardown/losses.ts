import type { StackResource } from './stack-state.ts'

/** What it means for people that a resource is deleted. */
const consequences: Readonly<Record<string, string>> = {
  ResourceGroup: 'with all that is in it, what others put there, too',
  CommunicationService:
    'with every identity: its tokens stop working, its chat threads lose it, and no new resource brings it back',
  Table: 'which user has which identity',
  WebApp: 'the token service: nobody gets a token any more',
}

/** In words, for the person who decides. */
export function describeLosses(resources: readonly StackResource[]): string {
  const grave = resources.filter(({ type }) => type in consequences)
  const others = resources.filter(({ type }) => !(type in consequences))
  return [
    ...grave.map((resource) => `  ${labelOf(resource)}\n      ${consequences[resource.type]}`),
    ...others.map((resource) => `  ${labelOf(resource)}`),
  ].join('\n')
}

export function labelOf({ type, name }: StackResource): string {
  return `${type} ${name}`
}
