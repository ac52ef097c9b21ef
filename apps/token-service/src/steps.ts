import { channel, tracingChannel } from 'node:diagnostics_channel'
import type { ProblemCode } from '@acs-kit/token-contract'
import type { FastifyRequest } from 'fastify'

/** A part of the work for a request, whose duration explains the request's latency. */
export interface Step {
  /** One of few names: contains nothing of a request. */
  readonly name: string
  /** Service that the step calls. */
  readonly peer?: 'Azure Communication Services' | 'identity store' | 'sign-in issuer'
}

export interface SentProblem {
  readonly request: FastifyRequest
  readonly code: ProblemCode
}

// Without telemetry, nothing subscribes to these channels. Publishing then costs nothing.
export const steps = tracingChannel<unknown, Step>('acs-kit.token-service.step')
/** Receives each HTTP request to Azure Communication Services, including retries. */
export const attempts = channel('acs-kit.token-service.attempt')
/** Receives a `SentProblem` for each failed request. */
export const sentProblems = channel('acs-kit.token-service.problem')

/** Runs a step of the current request. */
export function runStep<Result>(step: Step, work: () => Promise<Result>): Promise<Result> {
  // A new object, because the channel identifies a run by it.
  return steps.tracePromise(work, { ...step })
}
