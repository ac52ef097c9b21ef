import { CommunicationIdentityClient as AdministrationClient } from '@azure/communication-administration'
import { CommunicationIdentityClient } from '@azure/communication-identity'
import { CommunicationIdentityClient as Client10 } from 'communication-identity-1.0'
import { CommunicationIdentityClient as Client11 } from 'communication-identity-1.1'
import { CommunicationIdentityClient as Client12 } from 'communication-identity-1.2'
import { expect, it } from 'vitest'
import { useEmulator } from './emulator-fixture.ts'

const fixture = useEmulator()

// The published SDKs, unmodified. 1.2.0 depends on a `communication-common` that signs and sends a doubled port.
interface User {
  readonly communicationUserId: string
}
interface Client {
  createUser(): Promise<User>
  createUserAndToken(scopes: ('chat' | 'voip')[]): Promise<{ user: User }>
  getToken(user: User, scopes: ('chat' | 'voip')[]): Promise<{ token: string; expiresOn: Date }>
  revokeTokens(user: User): Promise<void>
  deleteUser(user: User): Promise<void>
}
/** Clients with the api-version that they send; a text is the reason why a published client cannot be tested. */
const clients: readonly [name: string, apiVersion: string, (new (connectionString: string) => Client) | string][] = [
  ['communication-identity 1.0.0', '2021-03-07', Client10],
  ['communication-identity 1.1.0', '2022-06-01', Client11],
  ['communication-identity 1.2.0', '2022-10-01', Client12],
  ['communication-identity 1.3.1', '2023-10-01', CommunicationIdentityClient],
  ['communication-identity 2.0.0', '2026-09-23', 'not on npm: the newest version is 1.3.1'],
  ['communication-identity 2.0.0 for Java', '2026-09-23', 'not on Maven Central'],
  ['communication-identity 2.0.0 for .NET', '2026-09-23', 'needs the .NET SDK, which CI does not install'],
  ['communication-identity 1.6.0 for Python', 'unknown', 'not on PyPI: the newest version is 1.5.0'],
]

it.for(clients)('serves %s with api-version %s', async ([_name, apiVersion, Client], { skip }) => {
  if (typeof Client === 'string') return skip(Client)
  const { emulator } = fixture
  const client = new Client(emulator.connectionString)
  const user = await client.createUser()
  const first = await client.getToken(user, ['chat', 'voip'])
  expect(first.expiresOn.getTime() - Date.now()).toBeGreaterThan(23 * 60 * 60_000)
  const second = await client.createUserAndToken(['voip'])
  expect(second.user.communicationUserId).not.toBe(user.communicationUserId)
  expect(emulator.introspect(first.token).state).toBe('valid')
  await client.revokeTokens(user)
  expect(emulator.introspect(first.token).state).toBe('revoked')
  await client.deleteUser(user)
  await expect(client.getToken(user, ['chat'])).rejects.toMatchObject({ statusCode: 404 })
  await expect(client.getToken(second.user, [])).rejects.toMatchObject({
    message: 'Invalid scopes - Scopes field is required.',
  })
  expect(new Set(emulator.requests.list().map((request) => request.apiVersion))).toEqual(new Set([apiVersion]))
})

it('serves communication-administration 1.0.0-beta.4 with api-version 2020-07-20-preview2', async () => {
  const { emulator } = fixture
  const client = new AdministrationClient(emulator.connectionString)
  const user = await client.createUser()
  const issued = await client.issueToken(user, ['voip'])
  expect(issued.user.communicationUserId).toBe(user.communicationUserId)
  await client.revokeTokens(user)
  expect(emulator.introspect(issued.token).state).toBe('revoked')
  await client.deleteUser(user)
  await expect(client.issueToken(user, ['chat'])).rejects.toMatchObject({ statusCode: 404 })
  expect(emulator.requests.list()[0]).toMatchObject({ apiVersion: '2020-07-20-preview2' })
})

it('sends a 429 that the SDK retries after a delay', async () => {
  const { emulator } = fixture
  emulator.faults.add({ operation: 'createIdentity', status: 429, retryAfterSeconds: 1, count: 1 })
  const { communicationUserId } = await new CommunicationIdentityClient(emulator.connectionString).createUser()
  expect(communicationUserId).toMatch(/^8:acs:/)
  expect(emulator.requests.list().map(({ status }) => status)).toEqual([429, 201])
})
