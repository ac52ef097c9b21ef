// Preloaded into servers that listen on a free port without printing it: sends the address to the parent process.
import { subscribe } from 'node:diagnostics_channel'
import { flushCompileCache } from 'node:module'
import type { Server } from 'node:net'

subscribe('tracing:net.server.listen:asyncEnd', (message) => {
  process.send?.((message as { server: Server }).server.address()!)
  // Node writes the cache on exit, but these servers are killed.
  flushCompileCache()
})
