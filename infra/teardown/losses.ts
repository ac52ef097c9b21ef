import type { StackResource } from '../stack/stack-state.ts'

/** Losses that the deletion of a resource entails, by its type. */
const consequences: Readonly<Record<string, string>> = {
  ResourceGroup: 'and everything in it, including resources created by others',
  CommunicationService:
    'and all identities: their tokens stop working, they leave their chat threads, and no new resource restores them\n' +
    '      Release its phone numbers first, or their charges can continue: list them with\n' +
    '      `az communication phonenumber list` or under Phone numbers in the portal',
  Table: 'and the mapping of users to identities',
  WebApp: 'and the token service: users receive no tokens',
}

/** Lists resources for confirmation, starting with those whose loss affects users. */
export function formatLosses(resources: readonly StackResource[]): string {
  const severe = resources.filter(({ type }) => type in consequences)
  const others = resources.filter(({ type }) => !(type in consequences))
  return [
    ...severe.map((resource) => `  ${formatResource(resource)}\n      ${consequences[resource.type]}`),
    ...others.map((resource) => `  ${formatResource(resource)}`),
  ].join('\n')
}

export function formatResource({ type, name }: StackResource): string {
  return `${type} ${name}`
}
