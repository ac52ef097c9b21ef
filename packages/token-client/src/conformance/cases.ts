import type { TokenResponse } from '../contract.ts'
import { expectCompletion, expectEqual, expectProblem, expectThat } from './expectations.ts'
import type { TestUsers } from './test-users.ts'

/** Case of the suite. The service is the subject of its name. */
export interface Case {
  readonly name: string
  /** Default: 1. */
  readonly users?: 1 | 2
  readonly needsOrigin?: true
  readonly check: (users: TestUsers, allowedOrigin: string) => Promise<void>
}

const routes = [
  ['POST', '/v1/token'],
  ['POST', '/v1/token/revoke'],
  ['GET', '/v1/identity'],
  ['DELETE', '/v1/identity'],
] as const

export const cases: readonly Case[] = [
  {
    name: 'issues a token with identity, scopes, endpoint and expiry',
    async check(users) {
      const { token, expiresOn, communicationUserId, scopes, endpoint } = await users.getToken('alice')
      expectEqual('type of token', typeof token, 'string')
      expectThat(communicationUserId.startsWith('8:acs:'), 'communicationUserId to start with 8:acs:')
      expectThat(Array.isArray(scopes) && scopes.length > 0, 'scopes to be a non-empty list')
      expectThat(URL.canParse(endpoint), 'endpoint to be a URL')
      const minutes = (Date.parse(expiresOn) - Date.now()) / 60_000
      expectThat(minutes > 19 && minutes < 1450, `expiry in 20 minutes to a day, got ${minutes} minutes`)
    },
  },
  {
    name: 'keeps the identity of a user and gives another user another one',
    users: 2,
    async check(users) {
      const first = await users.getToken('alice')
      const second = await users.getToken('alice')
      const other = await users.getToken('bob')
      expectEqual('identity of the second token', second.communicationUserId, first.communicationUserId)
      expectThat(other.communicationUserId !== first.communicationUserId, 'another identity for another user')
    },
  },
  {
    name: 'issues a new token for the same identity on refresh',
    async check(users) {
      const first = await users.getToken('alice')
      await waitForNextSecond()
      const second = await users.getToken('alice', { refresh: true })
      expectThat(second.token !== first.token, 'a new token')
      expectEqual('identity', second.communicationUserId, first.communicationUserId)
    },
  },
  {
    name: 'creates one identity for concurrent first requests',
    async check(users) {
      const requests = Array.from({ length: 10 }, () => users.getToken('alice'))
      // If one fails, none of the others may create an identity after the clean-up.
      await Promise.allSettled(requests)
      const responses = await Promise.all(requests)
      const identities = new Set(responses.map(({ communicationUserId }) => communicationUserId))
      expectEqual('number of identities', identities.size, 1)
    },
  },
  {
    name: 'issues a token with the requested scope',
    async check(users) {
      for (const scope of ['chat', 'voip']) {
        const { scopes } = await users.getToken('alice', { scopes: [scope] })
        expectEqual('scopes', scopes.join(), scope)
      }
    },
  },
  {
    name: 'returns the identity after the first token',
    async check(users) {
      expectProblem(await users.send('GET', '/v1/identity', 'alice'), 404, 'identity-unknown')
      const { communicationUserId } = await users.getToken('alice')
      const response = await users.send('GET', '/v1/identity', 'alice')
      expectEqual('status', response.status, 200, response)
      expectEqual('communicationUserId', (response.body as TokenResponse).communicationUserId, communicationUserId)
    },
  },
  {
    name: 'issues a new token for the same identity after a revocation',
    async check(users) {
      const before = await users.getToken('alice')
      expectCompletion(await users.send('POST', '/v1/token/revoke', 'alice'))
      await waitForNextSecond()
      const after = await users.getToken('alice')
      expectThat(after.token !== before.token, 'a new token')
      expectEqual('identity', after.communicationUserId, before.communicationUserId)
    },
  },
  {
    name: 'creates a new identity after a deletion',
    async check(users) {
      const before = await users.getToken('alice')
      for (let round = 0; round < 2; round++) expectCompletion(await users.send('DELETE', '/v1/identity', 'alice'))
      expectProblem(await users.send('GET', '/v1/identity', 'alice'), 404, 'identity-unknown')
      const after = await users.getToken('alice')
      expectThat(after.communicationUserId !== before.communicationUserId, 'a new identity')
    },
  },
  {
    name: 'rejects requests without a valid sign-in token',
    async check(users) {
      for (const [method, path] of routes) {
        const response = await users.send(method, path, undefined)
        expectProblem(response, 401, 'token-missing')
        const challenge = response.headers.get('WWW-Authenticate') ?? ''
        expectThat(challenge.startsWith('Bearer'), 'WWW-Authenticate to start with Bearer')
        const headers = { Authorization: 'Bearer no.such.token' }
        expectProblem(await users.send(method, path, undefined, headers), 401, 'token-invalid')
      }
    },
  },
  {
    name: 'never issues a token for the identity of another user',
    users: 2,
    async check(users) {
      const { communicationUserId } = await users.getToken('bob')
      expectProblem(await users.send('POST', '/v1/token', 'alice', {}, { communicationUserId }), 400, 'request-invalid')
      const path = `/v1/token?communicationUserId=${encodeURIComponent(communicationUserId)}`
      const { status, body } = await users.send('POST', path, 'alice', {}, {})
      if (status === 200)
        expectThat((body as TokenResponse).communicationUserId !== communicationUserId, "the caller's own identity")
    },
  },
  {
    name: 'rejects requests that violate the contract',
    async check(users) {
      const post = (body: unknown) => users.send('POST', '/v1/token', 'alice', {}, body)
      expectProblem(await post({ scopes: ['pstn'] }), 400, 'scope-unknown')
      expectProblem(await post({ scopes: 'chat' }), 400, 'request-invalid')
      expectProblem(await post({ scopes: [] }), 400, 'request-invalid')
      expectProblem(await post({ expiresInMinutes: 59 }), 400, 'request-invalid')
      expectProblem(await post({ expiresInMinutes: 1441 }), 400, 'request-invalid')
      expectProblem(await post({ surprise: true }), 400, 'request-invalid')
      expectProblem(await users.send('GET', '/v1/nothing', 'alice'), 404, 'route-unknown')
    },
  },
  {
    name: 'forbids caching of tokens and sends the time',
    async check(users) {
      const { headers } = await users.send('POST', '/v1/token', 'alice', {}, {})
      expectEqual('Cache-Control', headers.get('Cache-Control'), 'no-store')
      expectThat(Date.parse(headers.get('Date') ?? '') > 0, 'a valid Date header')
    },
  },
  {
    name: 'allows pages of the allowed origin to send requests and read errors',
    needsOrigin: true,
    async check(users, origin) {
      const preflight = await users.send('OPTIONS', '/v1/token', undefined, {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization,content-type',
      })
      const allowed = preflight.headers.get('Access-Control-Allow-Origin')
      expectEqual('Access-Control-Allow-Origin of the preflight', allowed, origin)
      for (const user of ['alice', undefined]) {
        const { headers } = await users.send('POST', '/v1/token', user, { Origin: origin }, {})
        expectEqual('Access-Control-Allow-Origin', headers.get('Access-Control-Allow-Origin'), origin)
        const exposed = (headers.get('Access-Control-Expose-Headers') ?? '').toLowerCase()
        for (const name of ['date', 'retry-after']) expectThat(exposed.includes(name), `${name} to be exposed`)
      }
    },
  },
  {
    name: 'denies pages of other origins',
    needsOrigin: true,
    async check(users) {
      const { headers } = await users.send('POST', '/v1/token', 'alice', { Origin: 'https://elsewhere.example' }, {})
      expectEqual('Access-Control-Allow-Origin', headers.get('Access-Control-Allow-Origin'), null)
    },
  },
]

/** Tokens issued within the same second may be equal. */
function waitForNextSecond(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 1100))
}
