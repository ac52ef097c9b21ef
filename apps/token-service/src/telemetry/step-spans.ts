import { AsyncLocalStorage } from 'node:async_hooks'
import { CommunicationIdentityError } from '@acs-kit/communication-identity'
import { SpanKind, SpanStatusCode, trace, type Context, type Span, type Tracer } from '@opentelemetry/api'
import { ProblemError } from '../problems/problem-error.ts'
import { attempts, steps, type Step } from '../steps.ts'

/** The current request or step, if it is traced. */
export type CurrentContext = AsyncLocalStorage<Context | undefined>

/** Creates a span for each step of a traced request. Work outside of requests, such as health checks, is not traced. */
export function traceSteps(tracer: Tracer): { readonly context: CurrentContext; readonly stop: () => void } {
  const context: CurrentContext = new AsyncLocalStorage()
  const spans = new WeakMap<object, Span>()

  // The trace context is not sent to the peer, because `tracestate` is text from a client.
  function start(step: Step): Context | undefined {
    const parent = context.getStore()
    if (parent === undefined) return undefined
    const { name, peer } = step
    const span = tracer.startSpan(
      name,
      peer === undefined ? {} : { kind: SpanKind.CLIENT, attributes: { 'service.peer.name': peer } },
      parent,
    )
    spans.set(step, span)
    return trace.setSpan(parent, span)
  }

  function fail(message: unknown): void {
    const { error } = message as { readonly error: unknown }
    const span = spans.get(message as object)
    span?.setAttribute('error.type', toErrorType(error))
    const isRejection = error instanceof ProblemError && error.statusCode < 500
    if (!isRejection) span?.setStatus({ code: SpanStatusCode.ERROR })
  }

  const end = (message: unknown): void => spans.get(message as object)?.end()
  const addAttempt = (): void => {
    const current = context.getStore()
    if (current) trace.getSpan(current)?.addEvent('attempt')
  }

  steps.start.bindStore(context, start)
  steps.error.subscribe(fail)
  steps.asyncEnd.subscribe(end)
  attempts.subscribe(addAttempt)
  return {
    context,
    stop() {
      steps.start.unbindStore(context)
      steps.error.unsubscribe(fail)
      steps.asyncEnd.unsubscribe(end)
      attempts.unsubscribe(addAttempt)
    },
  }
}

/** Returns our own code of an error. Texts of other errors may contain anything. */
function toErrorType(error: unknown): string {
  const isOurs = error instanceof ProblemError || error instanceof CommunicationIdentityError
  return isOurs ? error.code : '_OTHER'
}
