import { getDefaultPermissions } from './communication-applications.ts'
import { OAuthError } from './oauth-error.ts'

/** Scopes of a token request: permissions of one resource, and those of OpenID Connect. */
export interface RequestedScopes {
  /** Audience of the token; undefined if only scopes of OpenID Connect were requested. */
  readonly resource: string | undefined
  readonly permissions: readonly string[]
  readonly openid: readonly string[]
  /** Whether the resource's only scope is `<resource>/.default`. */
  readonly isDefault: boolean
}

const openidScopes = new Set(['openid', 'profile', 'email', 'offline_access'])

/** Parses the `scope` parameter: OpenID Connect's scopes, and `<resource>/<permission>` of one resource. Throws an `OAuthError`. */
export function parseScopes(text: string): RequestedScopes {
  const words = [...new Set(text.split(' ').filter((word) => word !== ''))]
  const openid = words.filter((word) => openidScopes.has(word))
  const resourceScopes = words.filter((word) => !openidScopes.has(word))
  const requested = resourceScopes.map(splitScope)
  const resources = new Set(requested.map(({ resource }) => resource))
  if (resources.size > 1) {
    throw new OAuthError(
      'invalid_scope',
      28000,
      `The scope names several resources: request a token for each of ${[...resources].join(', ')}.`,
    )
  }
  const [resource] = resources
  return {
    resource,
    permissions: [...new Set(requested.flatMap(({ permissions }) => permissions))],
    openid,
    isDefault: resourceScopes.length === 1 && resourceScopes[0]!.endsWith('/.default'),
  }
}

/** Splits a scope at its last slash: the resource of `https://communication.azure.com//.default` ends in one. */
function splitScope(word: string): { resource: string; permissions: readonly string[] } {
  const slash = word.lastIndexOf('/')
  const resource = word.slice(0, slash)
  const permission = word.slice(slash + 1)
  if (slash < 1 || permission === '' || !/^(?:[a-z][a-z+.-]*:\/\/.+|[\da-f-]{36})$/i.test(resource)) {
    throw new OAuthError('invalid_scope', 70011, `Invalid scope ${word}: expected <resource>/<permission>.`)
  }
  return { resource, permissions: permission === '.default' ? getDefaultPermissions(resource) : [permission] }
}
