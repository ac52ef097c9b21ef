import { expect } from 'vitest'
import { wellKnownPublicClientId, wellKnownTenantId } from '../src/index.ts'
import type { useEmulator } from './emulator-fixture.ts'
import { exchange } from './signed-request.ts'

export const teamsUri = 'https://auth.msft.communication.azure.com'
export const clientsUri = 'https://communication.azure.com/clients'

export interface SignIn {
  readonly user?: string
  readonly audience?: string
  readonly scopes?: string[]
  readonly clientId?: string
  readonly lifetimeMinutes?: number
}

/** Kinds of assignments with a request that creates one, and one that exchanges a token. */
export const kinds = {
  extension: {
    audience: teamsUri,
    version: '2025-06-30',
    path: '/access/teamsExtension',
    assign: (oid: string) => `/access/teamsExtension/tenants/${wellKnownTenantId}/assignments/${oid}`,
    value: {},
  },
  entra: {
    audience: clientsUri,
    version: '2025-03-02-preview',
    path: '/access/entra',
    assign: (oid: string) => `/access/entra/assignments/${oid}`,
    value: { tenantId: wellKnownTenantId },
  },
}
export type Kind = keyof typeof kinds

/** Signs in users of an emulator, assigns them to its default resource, and exchanges their tokens. */
export function useAssignedUsers(fixture: Pick<ReturnType<typeof useEmulator>, 'emulator' | 'call'>) {
  const signIn = (options: SignIn) => fixture.emulator.entra.signIn({ user: 'alice', ...options })

  async function assign(kind: Kind, change: object = {}, user = 'alice'): Promise<string> {
    const { version, assign, value } = kinds[kind]
    const { oid } = await signIn({ user })
    const body = { principalType: 'user', clientIds: [wellKnownPublicClientId], ...value, ...change }
    const response = await fixture.call({ method: 'PUT', target: `${assign(oid)}?api-version=${version}`, body })
    expect(response.status).toBeLessThan(300)
    return oid
  }

  async function unassign(kind: Kind, user = 'alice'): Promise<void> {
    const { version, assign } = kinds[kind]
    const { oid } = await signIn({ user })
    await fixture.call({ method: 'DELETE', target: `${assign(oid)}?api-version=${version}` })
  }

  async function exchangeToken(
    kind: Kind,
    options: SignIn = {},
    version: string = kinds[kind].version,
    endpoint = fixture.emulator.endpoint,
  ) {
    const { accessToken } = await signIn({ audience: kinds[kind].audience, ...options })
    const response = await exchange(endpoint, {
      method: 'POST',
      target: `${kinds[kind].path}/:exchangeAccessToken?api-version=${version}`,
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      payload: '{}',
    })
    return { ...response, entraToken: accessToken }
  }

  return { signIn, assign, unassign, exchangeToken }
}
