import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { startEmulator } from '@acs-kit/communication-emulator'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { expect, it } from 'vitest'
import type { StackResource } from '../stack/stack-state.ts'
import { findForeignLocks } from '../teardown/foreign-locks.ts'

const credential = { getToken: async () => ({ token: 'x', expiresOnTimestamp: Date.now() + 60_000 }) }
const group = '/subscriptions/s/resourceGroups/g'
const lock = (name: string) => `${group}/providers/Microsoft.Authorization/locks/${name}`
const resource = (type: string, id: string): StackResource => ({ type, id, name: '', apiVersion: 'v' })

/** Looks for locks in a resource manager that responds with these pages, or with this status. */
async function find(pages: readonly (readonly string[])[], resources: readonly StackResource[], status = 200) {
  await using emulator = await startEmulator()
  const { certificate, privateKey } = emulator.tlsFiles
  const tls = { cert: readFileSync(certificate), key: readFileSync(privateKey) }
  await using azure = await listenLocally(
    createServer(tls, ({ url, headers }, response) => {
      const { pathname, searchParams, origin } = new URL(url!, `https://${headers.host}`)
      if (pathname.startsWith('/metadata/')) return response.end(JSON.stringify({ resourceManager: origin }))
      expect([pathname, searchParams.get('api-version')]).toEqual([lock('').slice(0, -1), '2020-05-01'])
      const page = Number(searchParams.get('page') ?? 0)
      const value = pages[page]?.map((id) => ({ id }))
      const nextLink =
        page + 1 < pages.length ? `${origin}${pathname}?api-version=2020-05-01&page=${page + 1}` : undefined
      return response.writeHead(status).end(JSON.stringify({ value, nextLink }))
    }),
  )
  return await findForeignLocks(resources, { metadataHost: `localhost:${azure.port}` }, credential)
}

const own = [resource('ResourceGroup', group), resource('ManagementLockByScope', lock('own'))]

it('finds the locks of others on all pages, whatever the case of an id', async () => {
  expect(await find([[lock('OWN'), lock('a')], [lock('b')]], own)).toEqual([lock('a'), lock('b')])
  expect(await find([[lock('own')]], own)).toEqual([])
})

it('does not look for locks without a group', async () => {
  expect(await find([[lock('a')]], own.slice(1))).toEqual([])
})

it('names the role that it needs', async () => {
  await expect(find([], own, 403)).rejects.toThrow(/responded with 403 for the locks of .*: you need the Reader role$/)
})
