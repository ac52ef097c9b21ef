import { beforeEach, expect, it } from 'vitest'
import type { FakeService } from './fake-service.ts'
import { Harness } from './harness.ts'

let app: Harness
let service: FakeService

beforeEach(() => {
  app = new Harness()
  service = app.service
})

it('rejects a URL without https, except on this machine', () => {
  const createWith =
    (url: string, options = {}) =>
    () =>
      app.createSource({ url, ...options }).dispose()
  expect(createWith('http://tokens.example.com')).toThrow('url must begin with https://')
  expect(createWith('http://tokens.example.com', { allowInsecureConnection: true })).not.toThrow()
  expect(createWith('http://localhost:8080')).not.toThrow()
  expect(createWith('http://[::1]:8080')).not.toThrow()
  for (const url of ['HTTPS://tokens.example.com', 'http://app.localhost/tokens', 'http://127.0.0.1?x']) {
    expect(createWith(url), url).not.toThrow()
  }
  for (const url of [
    'http://localhost:80@tokens.example.com',
    'http://localhost.example.com',
    'http://tokens.example.com/.localhost/',
    'http://tokens.example.com?.localhost/',
    'http://tokens.example.com\\.localhost/',
    'http://127.0.0.1.example.com',
    'tokens.example.com',
    'ftp://tokens.example.com',
  ]) {
    expect(createWith(url), url).toThrow('url must begin with https://')
  }
})

it('accepts a URL with a path', async () => {
  const addresses: string[] = []
  const source = app.createSource({
    url: new URL('https://example.com/tokens?x=/#y'),
    fetch: (input, init) => {
      addresses.push(input as string)
      return service.fetch('https://example.com/v1/token', init)
    },
  })
  await source.getToken()
  source.dispose()
  expect(addresses).toEqual(['https://example.com/tokens/v1/token'])
})

it.each([
  ['text/html', '<h1>Sign in to this network</h1>'],
  ['application/json', '{}'],
  ['application/json', 'null'],
])('rejects a success with the %s %s', async (type, body) => {
  using source = app.createSource({ fetch: async () => new Response(body, { headers: { 'Content-Type': type } }) })
  for (const call of [source.getToken(), source.getIdentity(), source.revokeTokens(), source.deleteIdentity()])
    await expect(call).rejects.toMatchObject({ code: 'response-invalid', status: 200 })
})
