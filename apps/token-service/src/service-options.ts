import type { Settings } from '@acs-kit/service-settings'
import type { FastifyBaseLogger } from 'fastify'

/** The parsed settings, and what a test or a host app replaces. */
export interface TokenServiceOptions extends Settings, Partial<Environment> {}

/** What the service's own plugins receive. */
export interface ServiceOptions extends Environment {
  readonly settings: Settings
}

interface Environment {
  /** Default: JSON lines on standard output, without credentials and personal data. A logger of your own has to omit them. */
  readonly log: FastifyBaseLogger
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now: () => number
  /** Number from 0 to 1, for jitter. Default: `Math.random`. */
  readonly random: () => number
}
