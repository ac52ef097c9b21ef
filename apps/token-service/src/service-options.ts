import type { Settings } from '@acs-kit/service-settings'
import type { FastifyBaseLogger, FastifyPluginAsync } from 'fastify'

/** Parsed settings, with optional replacements for log, time and randomness. */
export interface TokenServiceOptions extends Settings, Partial<Environment> {
  /** @internal Traces and metrics of the process. An app that hosts the service has its own. */
  readonly telemetry?: Telemetry | undefined
}

/** Plugin that exports traces and metrics. */
export interface Telemetry {
  readonly plugin: FastifyPluginAsync
}

/** Options of the service's own plugins. */
export interface ServiceOptions extends Environment {
  readonly settings: Settings
  readonly telemetry: Telemetry | undefined
}

interface Environment {
  /** Default: JSON lines on standard output, without credentials and personal data. A logger of your own has to omit them. */
  readonly log: FastifyBaseLogger
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now: () => number
  /** Number from 0 to 1, for jitter. Default: `Math.random`. */
  readonly random: () => number
}
