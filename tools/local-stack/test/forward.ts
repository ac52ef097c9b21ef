import { request, type IncomingMessage, type ServerResponse } from 'node:http'

/** Forwards a request to the server at `target`. */
export function forward(target: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method = 'GET', url = '/', headers } = incoming
  const forwarded = request(new URL(url, target), { method, headers }, (response) => {
    outgoing.writeHead(response.statusCode!, response.headers)
    response.pipe(outgoing)
  })
  forwarded.on('error', () => outgoing.destroy())
  incoming.pipe(forwarded)
}
