import { routes } from '@acs-kit/token-contract'
import {
  defaultTextMapGetter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Tracer,
} from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { sentProblems, type SentProblem } from '../steps.ts'
import type { CurrentContext } from './step-spans.ts'

const propagator = new W3CTraceContextPropagator()

/**
 * Creates a span for each request, except health checks. It names the route, not the path, the client or the user: attributes
 * that OpenTelemetry's conventions also list, but that contain ids and addresses.
 */
export function traceRequests(
  app: FastifyInstance,
  tracer: Tracer,
  current: CurrentContext,
): { readonly stop: () => void } {
  const contexts = new WeakMap<FastifyRequest, Context>()
  const untraced = new Set([routes.health.url, routes.ready.url].map((url) => app.prefix + url))

  app.addHook('onRequest', (request, reply, done) => {
    const { url: route } = request.routeOptions
    if (route !== undefined && untraced.has(route)) return done()
    const parent = propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter)
    const span = tracer.startSpan(
      route === undefined ? request.method : `${request.method} ${route}`,
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': request.method,
          'url.scheme': request.protocol === 'https' ? 'https' : 'http',
          // As in log lines and problem details.
          'acs_kit.request_id': request.id,
          ...(route !== undefined && { 'http.route': route }),
        },
      },
      parent,
    )
    const context = trace.setSpan(parent, span)
    contexts.set(request, context)
    reply.raw.once('close', () => end(reply, context))
    current.run(context, done)
  })

  const addProblem = (message: unknown): void => {
    const { request, code } = message as SentProblem
    const context = contexts.get(request)
    if (context) trace.getSpan(context)?.setAttribute('error.type', code)
  }
  sentProblems.subscribe(addProblem)
  return { stop: () => sentProblems.unsubscribe(addProblem) }
}

function end({ raw }: FastifyReply, context: Context): void {
  const span = trace.getSpan(context)!
  if (raw.writableFinished) {
    span.setAttribute('http.response.status_code', raw.statusCode)
    if (raw.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
  } else {
    // The client closed the connection before the response.
    span.setAttribute('error.type', 'aborted')
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}
