import { OAuthError } from './oauth-error.ts'

/** What a token is asked for: one resource, and permissions there. */
export interface AskedScopes {
  /** Becomes `aud`; undefined when only OpenID Connect's own scopes were asked for. */
  readonly resource: string | undefined
  readonly permissions: readonly string[]
  readonly openid: readonly string[]
  /** Whether `<resource>/.default` is all that is requested of the resource. */
  readonly isDefault: boolean
}

const openidScopes = new Set(['openid', 'profile', 'email', 'offline_access'])
const teamsResource = 'https://auth.msft.communication.azure.com'

/** Reads the `scope` parameter: `openid`, and `<resource>/<permission>` of a single resource. Throws an `OAuthError`. */
export function parseScopes(text: string): AskedScopes {
  const words = [...new Set(text.split(' ').filter((word) => word !== ''))]
  const openid = words.filter((word) => openidScopes.has(word))
  const resourceScopes = words.filter((word) => !openidScopes.has(word))
  const asked = resourceScopes.map(splitScope)
  const resources = new Set(asked.map(({ resource }) => resource))
  if (resources.size > 1) {
    throw new OAuthError(
      'invalid_scope',
      28000,
      `The scope names more than one resource: ${[...resources].join(', ')}.`,
    )
  }
  const [resource] = resources
  return {
    resource,
    permissions: [...new Set(asked.flatMap(({ permissions }) => permissions))],
    openid,
    isDefault: resourceScopes.length === 1 && resourceScopes[0]!.endsWith('/.default'),
  }
}

/** At the last slash: `https://communication.azure.com//.default` is of a resource that ends in one. */
function splitScope(word: string): { resource: string; permissions: readonly string[] } {
  const slash = word.lastIndexOf('/')
  const resource = word.slice(0, slash)
  const permission = word.slice(slash + 1)
  if (slash < 1 || permission === '' || !/^(?:[a-z][a-z+.-]*:\/\/.+|[\da-f-]{36})$/i.test(resource)) {
    throw new OAuthError('invalid_scope', 70011, `Invalid scope ${word}: expected <resource>/<permission>.`)
  }
  // guess(default-scope): Entra ID gives the permissions that were consented to; here that is one for all, and the Teams ones.
  if (permission !== '.default') return { resource, permissions: [permission] }
  const isTeams = resource === teamsResource
  return { resource, permissions: isTeams ? ['Teams.ManageCalls', 'Teams.ManageChats'] : ['access_as_user'] }
}
