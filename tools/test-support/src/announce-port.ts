// Preloaded into servers that take a free port without telling which: the starter gets it as a message.
import { subscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:net'

subscribe('tracing:net.server.listen:asyncEnd', (message) => {
  process.send?.((message as { server: Server }).server.address()!)
})
