// A WebSocket server of `ws` over HTTPS, with the emulator's certificate in the given folder. It echoes messages, and sends the
// body of each HTTP request to all its clients. Prints its port.
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { listenLocally } from '@acs-kit/test-support/local-server'
import { WebSocketServer } from 'ws'

const keyFolder = process.argv[2]!
const server = createServer({
  cert: readFileSync(join(keyFolder, 'server/server.pem')),
  key: readFileSync(join(keyFolder, 'server/server-key.pem')),
})
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
sockets.on('connection', (socket) => {
  socket.on('message', (data) => socket.send(data, { binary: false }))
})
server.on('request', (request, response) => void broadcast(request, response))
const { port } = await listenLocally(server)
process.stdout.write(`listening at ${port}\n`)

async function broadcast(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request)
  for (const socket of sockets.clients) socket.send(body)
  response.writeHead(201).end()
}
