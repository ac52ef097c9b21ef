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
