import { setTimeout as sleep } from 'node:timers/promises'
import { CommunicationIdentityClient } from '@azure/communication-administration'
import { DefaultHttpClient, type HttpClient } from '@azure/core-http'
import { requireAnswer, type Credentials, type Driver, type Scope } from './driver.ts'
import { CommunicationIdentityError, toFailure } from './errors.ts'

/**
 * Over `@azure/communication-administration` 1.0.0-beta.4, the library of the access-token quickstart, which was followed
 * by `@azure/communication-identity`. API version 2020-07-20-preview2.
 */
export function createAdministrationDriver(credentials: Credentials): Driver {
  const clock = new ServiceClock()
  const options = { retryOptions: { maxRetries: 0 }, httpClient: createHttpClient(clock) }
  const client =
    'accessKey' in credentials
      ? new CommunicationIdentityClient(credentials.endpoint, { key: credentials.accessKey }, options)
      : new CommunicationIdentityClient(credentials.endpoint, credentials.credential, options)
  return {
    async create(abortSignal) {
      const { communicationUserId } = await client.createUser({ abortSignal })
      return requireAnswer(communicationUserId)
    },
    async createWithToken() {
      throw unsupported('create an identity and its token in one call')
    },
    async issueToken(communicationUserId, scopes, expiresInMinutes, abortSignal) {
      if (expiresInMinutes !== undefined) throw unsupported('set the lifetime of a token')
      const { token, expiresOn } = await client.issueToken({ communicationUserId }, toAdministrationScopes(scopes), {
        abortSignal,
      })
      return { token: requireAnswer(token), expiresOn: requireAnswer(expiresOn) }
    },
    async revokeTokens(communicationUserId, abortSignal) {
      // This API revokes what was issued before a time that the client names. One that is still to come covers the tokens
      // issued while the request travels; it is a whole second, as is the time of issue that a token carries.
      for (let leadMs = 250; ; leadMs *= 2) {
        const validFrom = Math.ceil((clock.now() + clock.toleranceMs + leadMs) / 1000) * 1000
        await client.revokeTokens({ communicationUserId }, new Date(validFrom), { abortSignal })
        // The response may have been slow, or have shown that the clocks differ.
        const remainingMs = validFrom - clock.now() - clock.toleranceMs
        if (remainingMs < 0 || remainingMs > leadMs + 1000) continue
        // The revocation holds; tokens issued before its time would not be valid.
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
 * Two of this SDK's retry policies can't be switched off: one waits out a 429 however long that takes, the other repeats
 * whatever failed with a system error. They see neither, as both pass them as failures of ours.
 */
function createHttpClient(clock: ServiceClock): HttpClient {
  const client = new DefaultHttpClient()
  return {
    async sendRequest(request) {
      const response = await client.sendRequest(request).catch((cause: unknown) => {
        throw (cause as Error).name === 'AbortError' ? cause : toFailure(cause)
      })
      clock.learn(response.headers.get('date'))
      if (response.status === 429) throw toFailure({ statusCode: response.status, response })
      return response
    },
  }
}

/** The service's time, by this machine's clock and the `Date` of responses, in milliseconds since 1970. */
class ServiceClock {
  #skewMs = 0

  /** A `Date` is a whole second, and up to a second old. Smaller differences of the clocks do not show in it. */
  learn(date: string | undefined): void {
    const skewMs = Date.parse(date ?? '') + 500 - Date.now()
    if (!Number.isNaN(skewMs)) this.#skewMs = Math.abs(skewMs) < 2000 ? 0 : skewMs
  }

  now(): number {
    return Date.now() + this.#skewMs
  }

  /** By how much `now` may be wrong in either direction. */
  get toleranceMs(): number {
    return this.#skewMs === 0 ? 0 : 500
  }
}
