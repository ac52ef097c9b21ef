import { tokenSource } from '@acs-kit/token-client'
import { conformanceCases, type ConformanceOptions } from '@acs-kit/token-client/conformance'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ServiceFixture } from './service-fixture.ts'

const allowedOrigin = 'https://app.example.com'
const open = new AsyncDisposableStack()
let fixture: ServiceFixture
let url: string

describe('with the client package, over a socket,', () => {
  beforeAll(async () => {
    fixture = open.use(await ServiceFixture.start({ env: { ALLOWED_ORIGINS: allowedOrigin } }))
    url = await fixture.service.listen({ host: '127.0.0.1', port: 0 })
  })
  afterAll(() => open.disposeAsync())

  const options: ConformanceOptions = {
    get url() {
      return url
    },
    getSignInToken: (user) => fixture.issuer.sign({ sub: user }),
    allowedOrigin,
  }
  it.for(conformanceCases(options))('$name', ({ run }) => expect(run()).resolves.toBeUndefined())

  it('leaves no identity behind', () => {
    expect(fixture.emulator.identities()).toEqual([])
  })

  it('issues, refreshes and revokes tokens, and deletes the identity', async () => {
    using tokens = tokenSource({ url, getSignInToken: () => fixture.issuer.sign({ sub: 'carol' }) })
    await expect(tokens.getIdentity()).rejects.toMatchObject({ code: 'identity-unknown', status: 404 })
    const first = await tokens.getToken({ scopes: ['voip'] })
    expect(await tokens.getToken({ scopes: ['voip'] })).toBe(first)
    expect(first).toMatchObject({ scopes: ['voip'], communicationUserId: expect.stringMatching(/^8:acs:/) })
    expect(fixture.emulator.introspect(first.token).state).toBe('valid')
    expect((await tokens.getIdentity()).communicationUserId).toBe(first.communicationUserId)
    expect(await tokens.revokeTokens()).toBe('done')
    expect(fixture.emulator.introspect(first.token).state).not.toBe('valid')
    const second = await tokens.getToken({ scopes: ['voip'] })
    expect(fixture.emulator.introspect(second.token).state).toBe('valid')
    expect(second.communicationUserId).toBe(first.communicationUserId)
    expect(await tokens.deleteIdentity()).toBe('done')
    expect((await tokens.getToken()).communicationUserId).not.toBe(first.communicationUserId)
    await tokens.deleteIdentity()
  })

  it('is reported as network-failed when it is down', async () => {
    using tokens = tokenSource({ url: 'http://127.0.0.1:1', getSignInToken: () => fixture.issuer.sign() })
    await expect(tokens.getIdentity()).rejects.toMatchObject({ code: 'network-failed' })
  })
})
