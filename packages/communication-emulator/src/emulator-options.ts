import type { Quotas } from './quotas.ts'
import type { ResourceOptions } from './resource.ts'

/** Options of `startEmulator`. */
export interface EmulatorOptions {
  /** Port of the default resource; default 0: a free port. */
  readonly port?: number
  /** Address to listen on; default: both loopback addresses, 127.0.0.1 and ::1, or all addresses if there are `hostnames`. */
  readonly host?: string
  /** DNS names and IP addresses with which other machines reach the emulator; default: none. */
  readonly hostnames?: readonly string[]
  /** Token that gives other machines access to the administration, of at least 16 characters; default: they have none. */
  readonly administrationToken?: string
  /** Primary access key of the default resource in base64; default: the well-known key. */
  readonly accessKey?: string
  /** More resources, each on its own port. */
  readonly resources?: readonly ResourceOptions[]
  /** Folder that keeps the state across restarts; default: the state is in memory only. */
  readonly dataFolder?: string
  /** Folder of the certificate authority and the signing key; default: one per user. */
  readonly keyFolder?: string
  /** Whether this process trusts the emulator's certificates and reaches loopback addresses without a proxy; default true. */
  readonly trust?: boolean
  /** Accepts any request date; default false. */
  readonly loose?: boolean
  /** Rejects unknown body members instead of ignoring them; default false. */
  readonly strict?: boolean
  /** Limits by operation, or `true` for the service's documented limits; default: no limits. */
  readonly quotas?: Quotas | boolean
  /** Receives a line for each rejected request and each fault; default: discarded. */
  readonly log?: (line: string) => void
}
