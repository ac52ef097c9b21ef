import {
  clientsApplication,
  teamsApplication,
  type CommunicationApplication,
} from '../entra/communication-applications.ts'
import type { EntraTokens } from '../entra/entra-tokens.ts'
import type { RawResponse } from '../raw-request.ts'
import { isSince } from './api-versions.ts'
import type { AssignmentKind, Assignments } from './assignments.ts'
import { getBearerToken } from './bearer.ts'
import { readBody, readObject } from './body.ts'
import { formatCommunicationUserId, toEntraTail } from './communication-user-id.ts'
import { verifyEntraUser } from './entra-user.ts'
import type { Identities } from './identities.ts'
import type { Call, Handler } from './identity-operations.ts'
import type { TokenIssuer } from './token-issuer.ts'

interface Exchange {
  readonly application: CommunicationApplication
  /** Scope of the access token for each permission of the user's token. */
  readonly scopes: Readonly<Record<string, string>>
}

const exchanges: Readonly<Record<AssignmentKind, Exchange>> = {
  // guess(extension-token): the scope; and that the token has the usual claims, without `tid`, which the Calling SDK rejects.
  teamsExtension: { application: teamsApplication, scopes: { 'TeamsExtension.ManageCalls': 'voip' } },
  // Source: the quickstart on Entra ID authentication in MicrosoftDocs/azure-docs.
  entra: {
    application: clientsApplication,
    scopes: {
      Chat: 'chat',
      'Chat.Join': 'chat.join',
      'Chat.Join.Limited': 'chat.join.limited',
      VoIP: 'voip',
      'VoIP.Join': 'voip.join',
    },
  },
}

interface ExchangeOptions {
  readonly identities: Identities
  readonly assignments: Assignments
  readonly issuer: TokenIssuer
  readonly entraTokens: EntraTokens
  /** Throws the service's error. */
  readonly takeQuota: (call: Call) => void
  readonly strict: boolean
}

/** Creates the handlers that exchange Entra ID tokens of assigned users. That token alone authenticates a request. */
export function createExchangeOperations(options: ExchangeOptions) {
  const { identities, assignments, issuer, entraTokens, takeQuota, strict } = options

  async function exchange(kind: AssignmentKind, call: Call): Promise<RawResponse> {
    const { request, resource, key, version } = call
    const { application, scopes } = exchanges[kind]
    const user = await verifyEntraUser(getBearerToken(request), application, Object.keys(scopes), entraTokens)
    if (isSince(version, '2026-09-23')) readObject(request)
    else readBody(request, [], { strict })
    takeQuota(call)
    assignments.checkAssigned(resource, kind, user)
    const { tenantId, oid, exp } = user
    const identity = identities.openForEntraUser(resource, toEntraTail({ kind, tenantId, oid }))
    const accessToken = await issuer.issue(resource, identity, {
      scopes: user.permissions.map((permission) => scopes[permission]!),
      lifetime: { exp },
      key,
    })
    const id = formatCommunicationUserId(resource.immutableId, identity.id, identity.tail)
    return { status: 200, body: { identity: { id }, accessToken }, communicationUserId: id }
  }

  return {
    exchangeTeamsExtensionAccessToken: (call) => exchange('teamsExtension', call),
    exchangeEntraAccessToken: (call) => exchange('entra', call),
  } satisfies Record<string, Handler>
}
