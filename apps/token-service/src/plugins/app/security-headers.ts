import { fastifyPlugin } from 'fastify-plugin'

/** Headers of an API without pages: forbid caching, sniffing, framing and scripts. */
export const securityHeaderValues = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
}

/** Sets security headers on every response. */
export const securityHeaders = fastifyPlugin(
  async (app) => {
    app.addHook('onRequest', (_request, reply, done) => {
      reply.headers(securityHeaderValues)
      done()
    })
  },
  { name: 'security-headers' },
)
