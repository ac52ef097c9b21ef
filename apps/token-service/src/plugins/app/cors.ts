import { createOriginMatcher } from '@acs-kit/service-settings'
import { fastifyPlugin } from 'fastify-plugin'
import { ProblemError } from '../../problems/problem-error.ts'
import type { ServiceOptions } from '../../service-options.ts'

/** Request headers that pages may send: those that the API reads, and those that tracing adds to every request. */
const requestHeaders = [
  'Authorization, Content-Type',
  // W3C Trace Context and Baggage.
  'traceparent, tracestate, baggage',
  // Application Insights, including the headers that it used before W3C's.
  'Request-Id, Request-Context, Correlation-Context, x-ms-request-id, x-ms-request-root-id',
  // Azure SDKs.
  'x-ms-client-request-id, x-ms-useragent',
]

/**
 * Rejects pages of other origins than `ALLOWED_ORIGINS`, and responds to preflight requests. Does not use `@fastify/cors`, which
 * handles OPTIONS for all routes of an app: a host app could not keep its own CORS.
 */
export const cors = fastifyPlugin(
  async (app, { settings: { ALLOWED_ORIGINS, ALLOWED_HEADERS } }: ServiceOptions) => {
    const isAllowed = createOriginMatcher(ALLOWED_ORIGINS)
    const preflightHeaders = {
      'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
      'Access-Control-Allow-Headers': [...requestHeaders, ...ALLOWED_HEADERS].join(', '),
      'Access-Control-Max-Age': '7200',
      // Without it, Safari waits for a body.
      'Content-Length': '0',
    }
    app.addHook('onRequest', (request, reply, done) => {
      const { origin } = request.headers
      const vary = reply.getHeader('vary')
      reply.header('vary', vary === undefined ? 'Origin' : `${String(vary)}, Origin`)
      if (origin === undefined) return done()
      if (isAllowed(origin)) {
        reply.headers(toCorsHeaders(origin))
        return request.method === 'OPTIONS' ? void reply.code(204).headers(preflightHeaders).send() : done()
      }
      if (isSameOrigin(origin, request.host)) return done()
      done(new ProblemError('origin-not-allowed', 'Add the origin of the page to ALLOWED_ORIGINS of the service.'))
    })
    const urls = new Set<string>()
    // Routes preflight requests to the hook. Without a preflight, OPTIONS is a method that the route does not have.
    app.addHook('onRoute', ({ method, url }) => {
      if (method === 'OPTIONS' || urls.has(url)) return
      urls.add(url)
      app.options(url.slice(app.prefix.length), (_request, reply) => {
        reply.callNotFound()
      })
    })
  },
  { name: 'cors' },
)

export function toCorsHeaders(origin: string): Record<string, string> {
  return {
    'Access-Control-Allow-Origin': origin,
    // `Date` shows clients how far their clock is off.
    'Access-Control-Expose-Headers': 'Date, Retry-After, WWW-Authenticate',
  }
}

/** Returns whether the service itself serves the page, such as the reference page. */
function isSameOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host
}
