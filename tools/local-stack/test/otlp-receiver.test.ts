import { once } from 'node:events'
import { connect } from 'node:net'
import { startOtlpReceiver } from '@acs-kit/test-support/otlp-receiver'
import { expect, it } from 'vitest'

it('ignores an export that ends early, as when the service is killed', async () => {
  const received: string[] = []
  await using receiver = await startOtlpReceiver(({ body }) => received.push(body.toString()))
  const socket = connect(Number(new URL(receiver.url).port), '127.0.0.1')
  // The receiver reads the body once it responds with 100.
  socket.write('POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n')
  await once(socket, 'data')
  socket.write('half')
  socket.destroy()
  await once(socket, 'close')
  expect((await fetch(`${receiver.url}/v1/traces`, { method: 'POST', body: 'whole' })).status).toBe(200)
  expect(received).toEqual(['whole'])
})
