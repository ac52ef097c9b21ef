import { badRequest } from './chat-error.ts'

/** Documented limits of sizes. Source: the service limits in Azure's documentation, and the API description. */
export const chatLimits = {
  participants: 250,
  participantsPerRequest: 200,
  pageSize: 200,
  /** Messages in a page by default. Source: https://github.com/Azure/azure-sdk-for-net/issues/45816. */
  defaultMessages: 6,
  messageBytes: 28 * 1024,
  metadataBytes: 1024,
  minRetentionDays: 30,
  maxRetentionDays: 90,
  /** Above this number of participants, a thread has neither typing notifications nor read receipts. */
  participantsWithTyping: 20,
} as const

/** Rejects metadata of a thread or participant above the documented size. */
export function checkMetadata(metadata: Readonly<Record<string, string>> | undefined): void {
  const bytes = Object.entries(metadata ?? {}).reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0)
  if (bytes <= chatLimits.metadataBytes) return
  throw badRequest(`The metadata can have at most ${chatLimits.metadataBytes} bytes.`)
}

export function checkRetentionDays(days: number | undefined): void {
  const { minRetentionDays: min, maxRetentionDays: max } = chatLimits
  if (days === undefined || (Number.isInteger(days) && days >= min && days <= max)) return
  throw badRequest(`The retention must be a whole number of days from ${min} to ${max}.`)
}
