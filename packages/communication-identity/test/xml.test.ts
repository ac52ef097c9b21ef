import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CommunicationIdentityClient } from '@azure/communication-administration'
import type { RestError } from '@azure/core-http'
import { expect, it, onTestFinished } from 'vitest'

it('keeps XML in a response from changing the prototype that the administration SDK parses', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(400, { 'Content-Type': 'application/xml' })
    response.end('<error><a/><__proto__><isAdmin>true</isAdmin></__proto__></error>')
  })
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = new CommunicationIdentityClient(`http://127.0.0.1:${port}/`, { key: 'AAAA' })
  const error = (await client.createUser().catch((cause: unknown) => cause)) as RestError
  const body = error.response!.parsedBody as object
  expect(Object.getPrototypeOf(body)).toBe(Object.prototype)
  expect(Object.keys(body)).toEqual(['a', '__proto__'])
})
