// Preloaded into servers for this machine only. After DNS rebinding, a page's own host name points to a loopback address, and
// browsers send that name as Host. Rejecting foreign names keeps such pages out.
import { Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Server as HttpsServer } from 'node:https'

// Not `isLoopback` of service-settings: this package imports no other package of the workspace.
const loopbackHost = /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

for (const { prototype } of [HttpServer, HttpsServer]) {
  const emit: (this: object, name: string, ...values: unknown[]) => boolean = prototype.emit
  prototype.emit = function (this: object, name: string, ...values: unknown[]): boolean {
    if (name !== 'request') return emit.call(this, name, ...values)
    const [{ headers }, response] = values as [IncomingMessage, ServerResponse]
    if (headers.host !== undefined && loopbackHost.test(headers.host)) return emit.call(this, name, ...values)
    response
      .writeHead(421, { 'Content-Type': 'text/plain' })
      .end('Misdirected request: this development server is available as localhost or 127.0.0.1 only.\n')
    return true
  }
}
