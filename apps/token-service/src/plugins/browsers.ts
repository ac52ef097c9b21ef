import cors from '@fastify/cors'
import { fastifyPlugin } from 'fastify-plugin'
import { ProblemError } from '../problem-error.ts'

/** For answers that are never a page: nothing may be cached, sniffed, framed or run. */
export const securityHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Strict-Transport-Security': 'max-age=31536000',
  'X-Content-Type-Options': 'nosniff',
}

/** What browsers have to be told: security headers, and whose pages may call. */
export const browsers = fastifyPlugin(
  async (app, { origins }: { readonly origins: readonly string[] }) => {
    const allowed = new Set(origins)
    app.addHook('onRequest', (request, reply, done) => {
      reply.headers(securityHeaders)
      const { origin } = request.headers
      if (origin === undefined || allowed.has(origin) || isSameOrigin(origin, request.host)) done()
      else done(new ProblemError('origin-not-allowed', 'ALLOWED_ORIGINS of the service does not name it.'))
    })
    await app.register(cors, {
      origin: (origin, callback) => callback(null, origin !== undefined && allowed.has(origin)),
      methods: ['GET', 'POST', 'DELETE'],
      allowedHeaders: ['Authorization', 'Content-Type'],
      // `Date` tells clients how wrong their clock is.
      exposedHeaders: 'Date, Retry-After, WWW-Authenticate',
      maxAge: 7200,
      // The answer to one that is not would be no problem details.
      strictPreflight: false,
    })
  },
  { name: 'browsers' },
)

/** Such as the reference page's. */
function isSameOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host
}
