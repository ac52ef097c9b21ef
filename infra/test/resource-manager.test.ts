import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { startEmulator } from '@acs-kit/communication-emulator'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { expect, it } from 'vitest'
import { createResourceCheck, inheritParentStatus } from '../teardown/resource-manager.ts'
import type { StackResource } from '../stack/stack-state.ts'

const credential = { getToken: async () => ({ token: 'x', expiresOnTimestamp: Date.now() + 60_000 }) }

it.each<[string, object, RegExp | 'deleted']>([
  ['ResourceNotFound', {}, 'deleted'],
  ['SubscriptionNotFound', {}, /responded with 404 SubscriptionNotFound for \/subscriptions\/s\/sites\/a/],
  ['ResourceNotFound', { metadataHost: undefined, environment: 'mars' }, /is "mars": expected one of public/],
])('interprets a 404 with the code %s and %j', async (code, cloud, expected) => {
  await using emulator = await startEmulator()
  const { certificate, privateKey } = emulator.tlsFiles
  const tls = { cert: readFileSync(certificate), key: readFileSync(privateKey) }
  await using azure = await listenLocally(
    createServer(tls, ({ url, headers }, response) => {
      if (url!.startsWith('/metadata/')) response.end(JSON.stringify({ resourceManager: `https://${headers.host}/` }))
      else response.writeHead(404).end(JSON.stringify({ error: { code } }))
    }),
  )
  const resource = { id: '/subscriptions/s/sites/a', type: 'WebApp', name: 'a', apiVersion: 'v' }
  const check = async () => {
    const metadataHost = `localhost:${azure.port}`
    const checkResources = await createResourceCheck({ metadataHost, ...cloud }, credential)
    return checkResources([resource])
  }
  if (expected === 'deleted') expect([...(await check())]).toEqual([[resource, 'deleted']])
  else await expect(check()).rejects.toThrow(expected)
})

it('gives resources with an unknown status the status of their parent', () => {
  const resource = (id: string): StackResource => ({ id, type: '', name: id, apiVersion: undefined })
  const [group, account, role, other] = [resource('g'), resource('g/a'), resource('g/a/role'), resource('h/role')]
  const inherit = (status: 'exists' | 'deleted') => [
    ...inheritParentStatus(
      new Map([
        [role, 'unknown'],
        [other, 'unknown'],
        [account, 'unknown'],
        [group, status],
      ]),
    ).values(),
  ]
  expect(inherit('exists')).toEqual(['exists', 'unknown', 'exists', 'exists'])
  expect(inherit('deleted')).toEqual(['deleted', 'unknown', 'deleted', 'deleted'])
})
