import { setTimeout as sleep } from 'node:timers/promises'
import { CommunicationIdentityClient } from '@azure/communication-administration'
import { DefaultHttpClient, type HttpClient } from '@azure/core-http'
import { requireValue, type Credentials, type Driver, type Scope } from './driver.ts'
import { CommunicationIdentityError, toFailure } from './errors.ts'
import { createTeamsAssignments } from './teams-assignments.ts'

/**
 * Uses `@azure/communication-administration` 1.0.0-beta.4, the library of the access-token quickstart and predecessor of
 * `@azure/communication-identity`, with api-version 2020-07-20-preview2.
 */
export function createAdministrationDriver(credentials: Credentials): Driver {
  const clock = new ServiceClock()
  const options = { retryOptions: { maxRetries: 0 }, httpClient: createHttpClient(clock) }
  const client =
    'accessKey' in credentials
      ? new CommunicationIdentityClient(credentials.endpoint, { key: credentials.accessKey }, options)
      : new CommunicationIdentityClient(credentials.endpoint, credentials.credential, options)
  return {
    ...createTeamsAssignments(credentials),
    async create(abortSignal) {
      const { communicationUserId } = await client.createUser({ abortSignal })
      return requireValue(communicationUserId)
    },
    async createWithToken() {
      throw unsupported('create an identity and its token in one call')
    },
    async issueToken(communicationUserId, scopes, expiresInMinutes, abortSignal) {
      if (expiresInMinutes !== undefined) throw unsupported('set the lifetime of a token')
      const { token, expiresOn } = await client.issueToken({ communicationUserId }, toAdministrationScopes(scopes), {
        abortSignal,
      })
      return { token: requireValue(token), expiresOn: requireValue(expiresOn) }
    },
    async revokeTokens(communicationUserId, abortSignal) {
      // This API revokes tokens issued before a time that the client sends. A future time covers tokens that are issued
      // during the request. It is a whole second, as in the tokens.
      for (let leadMs = 250; ; leadMs *= 2) {
        const validFrom = Math.ceil((clock.now() + clock.toleranceMs + leadMs) / 1000) * 1000
        await client.revokeTokens({ communicationUserId }, new Date(validFrom), { abortSignal })
        // The response was slow, or showed a difference between the clocks.
        const remainingMs = validFrom - clock.now() - clock.toleranceMs
        if (remainingMs < 0 || remainingMs > leadMs + 1000) continue
        // Tokens issued before that time would be revoked, so wait for it.
        return sleep(remainingMs + 2 * clock.toleranceMs, undefined, { signal: abortSignal }).catch(() => {})
      }
    },
    async delete(communicationUserId, abortSignal) {
      await client.deleteUser({ communicationUserId }, { abortSignal })
    },
    async exchangeTeamsToken() {
      throw unsupported("exchange a Teams user's token")
    },
  }
}

function unsupported(what: string): CommunicationIdentityError {
  return new CommunicationIdentityError(
    'unsupported-by-driver',
    `the administration SDK cannot ${what}; the identity SDK can (ACS_SDK=identity)`,
  )
}

function toAdministrationScopes(scopes: readonly Scope[]): ('chat' | 'voip')[] {
  return scopes.map((scope) => {
    if (scope !== 'chat' && scope !== 'voip') throw unsupported(`issue the scope ${scope}`)
    return scope
  })
}

/**
 * Creates a client that hides failures from two retry policies of this SDK that cannot be disabled: one waits without a
 * limit after a 429, the other repeats every system error.
 */
function createHttpClient(clock: ServiceClock): HttpClient {
  const client = new DefaultHttpClient()
  return {
    async sendRequest(request) {
      const response = await client.sendRequest(request).catch((cause: unknown) => {
        throw (cause as Error).name === 'AbortError' ? cause : toFailure(cause)
      })
      clock.update(response.headers.get('date'))
      if (response.status === 429) throw toFailure({ statusCode: response.status, response })
      return response
    },
  }
}

/** Estimates the service's clock from the `Date` header of its responses, in milliseconds since 1970. */
class ServiceClock {
  #skewMs = 0

  /** A `Date` header has a resolution of a second, so smaller differences are ignored. */
  update(date: string | undefined): void {
    const skewMs = Date.parse(date ?? '') + 500 - Date.now()
    if (!Number.isNaN(skewMs)) this.#skewMs = Math.abs(skewMs) < 2000 ? 0 : skewMs
  }

  now(): number {
    return Date.now() + this.#skewMs
  }

  /** Maximum error of `now`, in either direction. */
  get toleranceMs(): number {
    return this.#skewMs === 0 ? 0 : 500
  }
}
