// A Fastify server with nothing but a route `POST /v1/token` that responds with the given body. Prints its address.
import { TokenResponse } from '@acs-kit/token-contract'
import fastify from 'fastify'

const response = JSON.parse(process.argv[2]!) as TokenResponse
const app = fastify()
app.post('/v1/token', { schema: { response: { 200: TokenResponse } } }, async () => response)
process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
