import { Agent } from 'node:https'
import type { LookupFunction } from 'node:net'
import { CommunicationIdentityClient } from '@azure/communication-identity'
import { decodeJwt } from 'jose'
import { expect, it } from 'vitest'
import {
  startEmulator,
  wellKnownAccessKey,
  wellKnownClientSecret,
  wellKnownConfidentialClientId,
  wellKnownPublicClientId,
  wellKnownTenantId,
} from '../src/index.ts'
import { useEmulator } from './emulator-fixture.ts'
import { ownAddress } from './own-address.ts'
import { exchange, send } from './signed-request.ts'

const name = 'my_emulator.example'
const fixture = useEmulator({ hostnames: [name.toUpperCase(), ...(ownAddress === undefined ? [] : [ownAddress])] })
const getPort = () => new URL(fixture.emulator.endpoint).port
const getOrigin = () => `https://${name}:${getPort()}`

/** Sends a request as a client to whom the name belongs to this machine. */
async function call(method: string, target: string, { headers = {}, payload = '', host = name } = {}) {
  const response = await exchange(`https://localhost:${getPort()}`, {
    method,
    target,
    headers: { host: `${host}:${getPort()}`, ...headers },
    payload,
    servername: name,
  })
  return response
}

function requestToken(resource: string): Promise<{ json: { access_token: string } }> {
  const form = {
    grant_type: 'client_credentials',
    client_id: wellKnownConfidentialClientId,
    client_secret: wellKnownClientSecret,
    scope: `${resource}/.default`,
  }
  return call('POST', `/${wellKnownTenantId}/oauth2/v2.0/token`, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(form).toString(),
  })
}

it('serves an unmodified SDK under a name', async () => {
  const toThisMachine: LookupFunction = (_name, _options, callback) =>
    callback(null, [{ address: '127.0.0.1', family: 4 }])
  const agent = new Agent({ lookup: toThisMachine })
  const client = new CommunicationIdentityClient(`endpoint=${getOrigin()}/;accesskey=${wellKnownAccessKey}`, {
    additionalPolicies: [
      {
        position: 'perCall',
        policy: { name: 'resolve', sendRequest: (request, next) => next(Object.assign(request, { agent })) },
      },
    ],
  })
  const { token } = await client.createUserAndToken(['chat'])
  expect(fixture.emulator.introspect(token).state).toBe('valid')
})

it.runIf(ownAddress)('serves an unmodified SDK at an address of the network', async () => {
  const endpoint = `https://${ownAddress}:${getPort()}/`
  const client = new CommunicationIdentityClient(`endpoint=${endpoint};accesskey=${wellKnownAccessKey}`)
  const { token } = await client.createUserAndToken(['chat'])
  expect(fixture.emulator.introspect(token).state).toBe('valid')
})

it('listens only on loopback addresses without hostnames, and on the chosen address with them', async () => {
  await using plain = await startEmulator()
  await using chosen = await startEmulator({ hostnames: [name], host: '127.0.0.1' })
  for (const { endpoint } of [plain, chosen]) {
    const { port } = new URL(endpoint)
    expect(await fetch(`https://localhost:${port}/_emulator/health`)).toMatchObject({ status: 200 })
    if (ownAddress !== undefined) {
      const request = exchange(`https://${ownAddress}:${port}`, { target: '/', servername: 'localhost' })
      await expect(request).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    }
  }
})

it('still rejects other names', async () => {
  for (const host of ['evil.example', `sub.${name}`, `${name}.evil.example`]) {
    const options = { target: '/identities?api-version=2023-10-01', accessKey: wellKnownAccessKey, sign: { host } }
    expect(await send(fixture.emulator.endpoint, options), host).toMatchObject({ status: 421 })
  }
})

it('names the host of the request in every address', async () => {
  const discovery = `/${wellKnownTenantId}/v2.0/.well-known/openid-configuration`
  for (const [host, origin] of [
    [name, getOrigin()],
    [name.toUpperCase(), getOrigin()],
    ['localhost', `https://localhost:${getPort()}`],
  ] as const) {
    const { json: configuration } = await call('GET', discovery, { host })
    expect(configuration.issuer).toBe(`${origin}/${wellKnownTenantId}/v2.0`)
    expect(configuration.token_endpoint).toContain(`${origin}/`)
    const { json: cloud } = await call('GET', '/metadata/endpoints?api-version=2022-09-01', { host })
    expect(cloud.resourceManager).toBe(origin)
  }
  expect(fixture.emulator.endpoint).toBe(`https://localhost:${getPort()}/`)
})

it('names the host of the request in the endpoint of a managed resource', async () => {
  const { json } = await requestToken('https://management.azure.com')
  const group = '/subscriptions/acac0000-0000-4000-8000-00000000000a/resourceGroups/names'
  const resource = `${group}/providers/Microsoft.Communication/communicationServices/named`
  const headers = { authorization: `Bearer ${json.access_token}`, 'content-type': 'application/json' }
  const put = (path: string, body: object) =>
    call('PUT', `${path}?api-version=2023-04-01`, { headers, payload: JSON.stringify(body) })
  expect(await put(group, { location: 'westus' })).toMatchObject({ status: 201 })
  const created = await put(resource, { location: 'global', properties: { dataLocation: 'United States' } })
  expect(created.headers['azure-asyncoperation']).toContain(`${getOrigin()}/`)
  const listKeys = (host: string) => call('POST', `${resource}/listKeys?api-version=2023-04-01`, { headers, host })
  const { port } = new URL(fixture.emulator.resources.at(-1)!.endpoint)
  expect((await listKeys(name)).json.primaryConnectionString).toContain(`endpoint=https://${name}:${port}/;`)
  const own = await exchange(`https://localhost:${port}`, {
    target: `/${wellKnownTenantId}/v2.0/.well-known/openid-configuration`,
  })
  expect(own.json.issuer).toContain('https://localhost:')
})

it('accepts its sign-in tokens under every name', async () => {
  const { json } = await requestToken('https://communication.azure.com')
  expect(decodeJwt(json.access_token).iss).toBe(`${getOrigin()}/${wellKnownTenantId}/v2.0`)
  const local = await fixture.emulator.entra.signIn({ user: 'admin', audience: 'https://communication.azure.com' })
  for (const host of [name, 'localhost']) {
    for (const token of [json.access_token, local.accessToken]) {
      const headers = { authorization: `Bearer ${token}` }
      expect(await call('POST', '/identities?api-version=2023-10-01', { headers, host })).toMatchObject({ status: 201 })
    }
  }
})

it('lets pages with its name sign users in, and no others', async () => {
  const authorize = async (redirectUri: string) => {
    const parameters = {
      client_id: wellKnownPublicClientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    }
    const query = new URLSearchParams(parameters).toString()
    const url = `https://localhost:${getPort()}/${wellKnownTenantId}/oauth2/v2.0/authorize?${query}`
    return fetch(url)
  }
  const accepted = await authorize(`http://${name}:5173/`)
  expect(accepted.status).toBe(200)
  expect(accepted.headers.get('content-security-policy')).toContain(`http://${name}:* https://${name}:*`)
  for (const host of ['evil.example', `sub.${name}`]) expect((await authorize(`http://${host}/`)).status).toBe(400)
  const discovery = `/${wellKnownTenantId}/v2.0/.well-known/openid-configuration`
  const allowed = async (origin: string) =>
    (await call('GET', discovery, { headers: { origin } })).headers['access-control-allow-origin']
  expect(await allowed(`http://${name}:5173`)).toBe(`http://${name}:5173`)
  expect(await allowed('https://evil.example')).toBeUndefined()
})

it.each(['https://emulator', 'emulator:4380', '*.example', 'a..b', '-a', 'fe80::1%eth0', ''])(
  'rejects the hostname %j',
  async (hostname) => {
    await expect(startEmulator({ hostnames: [hostname] })).rejects.toThrow(
      `the hostname ${JSON.stringify(hostname)} is invalid: use a DNS name or an IP address`,
    )
  },
)
