import { expect, it } from 'vitest'
import { ServiceFixture } from './service-fixture.ts'

it('lists, finds, revokes and deletes users for administrators', async () => {
  await using fixture = await ServiceFixture.start()
  const names = Array.from({ length: 12 }, (_, index) => `user ${index}`)
  for (const sub of names) await fixture.call('POST /v1/token', { claims: { sub } })
  const claims = { sub: 'admin', roles: ['admin'] }
  const get = async (query: string) => (await fixture.call(`GET /v1/users${query}`, { claims })).body

  const users = []
  let cursor = ''
  do {
    const page = await get(`?limit=5${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
    expect(page.users.length).toBeLessThanOrEqual(5)
    users.push(...page.users)
    cursor = page.cursor ?? ''
  } while (cursor)
  expect(users).toHaveLength(names.length)
  expect(new Set(users.map(({ subject }) => subject))).toEqual(new Set(names))
  expect(users[0]).toEqual({
    userKey: expect.stringMatching(/^[\w-]{43}$/),
    issuer: fixture.issuer.issuer,
    subject: expect.any(String),
    communicationUserId: expect.stringMatching(/^8:acs:/),
    createdOn: expect.any(String),
  })

  const [found] = (await get('?subject=user%203')).users
  expect(found.subject).toBe('user 3')
  expect((await get(`?subject=${encodeURIComponent("' or subject ne '")}`)).users).toEqual([])

  const getStatus = async (request: string) => (await fixture.call(request, { claims })).status
  expect(await getStatus(`POST /v1/users/${found.userKey}/token/revoke`)).toBe(204)
  expect((await get('?subject=user%203')).users[0].tokensValidFrom).toEqual(expect.any(String))
  expect(await getStatus(`DELETE /v1/users/${found.userKey}`)).toBe(204)
  expect(await getStatus(`DELETE /v1/users/${found.userKey}`)).toBe(204)
  expect((await get('?subject=user%203')).users).toEqual([])
  expect(fixture.emulator.identities()).toHaveLength(11)
})

it('logs the administrator of a list, and the users found by a search', async () => {
  await using fixture = await ServiceFixture.start()
  for (const sub of ['alice', 'bob']) await fixture.call('POST /v1/token', { claims: { sub } })
  const claims = { sub: 'admin', roles: ['admin'] }
  await fixture.call('GET /v1/users', { claims })
  const { users } = (await fixture.call('GET /v1/users?subject=bob', { claims })).body
  const [all, search] = fixture.lines({ audit: 'list' })
  expect(all).toMatchObject({ by: expect.stringMatching(/^[\w-]{43}$/), count: 2 })
  expect(search).toMatchObject({ by: all!['by'], count: 1, userKeys: [users[0].userKey] })
  expect(all).not.toHaveProperty('userKeys')
  expect(fixture.logged).not.toContain('bob')
})

it.each(['?cursor=nonsense', '?limit=0', '?limit=1001', '?limit=abc', '?unknown=1'])(
  'rejects an invalid list request: %s',
  async (query) => {
    await using fixture = await ServiceFixture.start()
    expect(await fixture.call(`GET /v1/users${query}`, { claims: { roles: ['admin'] } })).toMatchObject({
      status: 400,
      body: { code: 'request-invalid' },
    })
  },
)

it('rejects users who are not administrators', async () => {
  await using fixture = await ServiceFixture.start()
  await fixture.call('POST /v1/token')
  const requests = [
    'GET /v1/users',
    `DELETE /v1/users/${'A'.repeat(43)}`,
    `POST /v1/users/${'A'.repeat(43)}/token/revoke`,
  ]
  for (const request of requests) {
    expect(await fixture.call(request)).toMatchObject({
      status: 403,
      body: { code: 'permission-missing' },
      headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' },
    })
  }
  // Each attempt is logged with its user and address.
  const [issued] = fixture.lines({ audit: 'issue' })
  const rejected = fixture.lines({ audit: 'reject', code: 'permission-missing', address: '127.0.0.1' })
  expect(rejected.map(({ userKey, method, route }) => ({ userKey, method, route }))).toEqual([
    { userKey: issued!['userKey'], method: 'GET', route: '/v1/users' },
    { userKey: issued!['userKey'], method: 'DELETE', route: '/v1/users/:userKey' },
    { userKey: issued!['userKey'], method: 'POST', route: '/v1/users/:userKey/token/revoke' },
  ])
})

it('logs a rejection with the address that the proxy reports, and no other text of the request', async () => {
  await using fixture = await ServiceFixture.start({ env: { TRUSTED_PROXIES: '1' } })
  for (const forwarded of ['203.0.113.5:1234', 'secret']) {
    await fixture.call('GET /v1/users?subject=secret', { headers: { 'x-forwarded-for': forwarded } })
    await fixture.call('GET /secret?secret', { headers: { 'x-forwarded-for': forwarded, 'user-agent': 'secret' } })
  }
  const addresses = fixture.lines({ msg: 'rejected a request' }).map(({ address }) => address)
  expect(addresses).toEqual(['203.0.113.5', '203.0.113.5', '127.0.0.1', '127.0.0.1'])
  expect(fixture.logged).not.toContain('secret')
})
