import { fastifyPlugin } from 'fastify-plugin'

/** Headers of an API without pages: forbid caching, sniffing, framing and scripts. */
export const securityHeaderValues = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Strict-Transport-Security': 'max-age=31536000',
  'X-Content-Type-Options': 'nosniff',
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
