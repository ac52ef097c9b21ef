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

/** Request headers that pages may send: those that the API reads, and those that tracing adds to every request. */
const requestHeaders = [
  'Authorization',
  'Content-Type',
  // W3C Trace Context and Baggage.
  'traceparent',
  'tracestate',
  'baggage',
  // Application Insights, also before it knew W3C's.
  'Request-Id',
  'Request-Context',
  'Correlation-Context',
  'x-ms-request-id',
  'x-ms-request-root-id',
  // Azure's SDKs.
  'x-ms-client-request-id',
  'x-ms-useragent',
]

export interface BrowsersOptions {
  readonly origins: readonly string[]
  /** Request headers that pages may send as well. */
  readonly headers: readonly string[]
}

/** What browsers have to be told: security headers, and whose pages may call. */
export const browsers = fastifyPlugin(
  async (app, { origins, headers }: BrowsersOptions) => {
    const allowed = new Set(origins)
    app.addHook('onRequest', (request, reply, done) => {
      reply.headers(securityHeaders)
      const repeated = findRepeated(request.raw.rawHeaders)
      if (repeated !== undefined) {
        done(new ProblemError('request-invalid', `The header ${repeated} is sent twice.`))
        return
      }
      const { origin } = request.headers
      if (origin === undefined || allowed.has(origin) || isSameOrigin(origin, request.host)) done()
      else done(new ProblemError('origin-not-allowed', 'ALLOWED_ORIGINS of the service does not name it.'))
    })
    await app.register(cors, {
      origin: (origin, callback) => callback(null, origin !== undefined && allowed.has(origin)),
      methods: ['GET', 'POST', 'DELETE'],
      allowedHeaders: [...requestHeaders, ...headers],
      // `Date` tells clients how wrong their clock is.
      exposedHeaders: 'Date, Retry-After, WWW-Authenticate',
      maxAge: 7200,
      // The answer to one that is not would be no problem details.
      strictPreflight: false,
    })
  },
  { name: 'browsers' },
)

/** Node takes the first of these; a proxy in front may have taken another. */
const singleHeaders = new Set(['host', 'origin', 'authorization', 'content-type'])

/** The first of the `singleHeaders` that occurs twice. */
function findRepeated(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    if (!singleHeaders.has(name)) continue
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

/** Such as the reference page's. */
function isSameOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host
}
