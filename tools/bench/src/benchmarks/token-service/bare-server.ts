// A Fastify that does nothing but answer `POST /v1/token` with the given body. Prints its address.
import { TokenResponse } from '@acs-kit/token-contract'
import fastify from 'fastify'

const answer = JSON.parse(process.argv[2]!) as TokenResponse
const app = fastify()
app.post('/v1/token', { schema: { response: { 200: TokenResponse } } }, async () => answer)
process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
