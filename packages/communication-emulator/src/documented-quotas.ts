import type { Limit } from './quotas.ts'

// guess(shared-limits): operations that the documentation lists in one row share a count.
const chat = {
  participants: toLimits('thread', 10, 30),
  reads: toLimits('user', 50),
  messages: toLimits('thread', 10, 30),
} satisfies Record<string, readonly Limit[]>

export const documentedChatQuotas = {
  createChatThread: toLimits('user', 10),
  deleteChatThread: toLimits('user', 10),
  updateChatThreadProperties: toLimits('thread', 5),
  getChatThreadProperties: chat.reads,
  listChatThreads: chat.reads,
  addChatParticipants: chat.participants,
  removeChatParticipant: chat.participants,
  listChatParticipants: [...toLimits('userInThread', 10), ...toLimits('thread', 250)],
  sendChatMessage: chat.messages,
  updateChatMessage: chat.messages,
  deleteChatMessage: chat.messages,
  getChatMessage: [...toLimits('userInThread', 50), ...toLimits('thread', 250)],
  listChatMessages: [...toLimits('userInThread', 50, 200), ...toLimits('thread', 250, 400)],
  sendChatReadReceipt: toLimits('userInThread', 10, 30),
  listChatReadReceipts: [...toLimits('userInThread', 5), ...toLimits('thread', 100)],
  sendTypingNotification: [...toLimits('userInThread', 5, 15), ...toLimits('thread', 10, 30)],
} as const satisfies Record<string, readonly Limit[]>

/**
 * Documented limits of the service.
 * Source: the service limits in Azure's documentation, read in 2026.
 */
export const documentedQuotas = {
  createIdentity: 1000,
  deleteIdentity: 500,
  issueAccessToken: 1000,
  revokeAccessTokens: 500,
  createIdentityWithToken: 1000,
  exchangeTeamsUserAccessToken: 500,
  ...documentedChatQuotas,
} as const

/** Returns the limits in 10 seconds and, where documented, in a minute. */
function toLimits(per: Limit['per'] & string, in10Seconds: number, inMinute?: number): readonly Limit[] {
  const limit = { calls: in10Seconds, seconds: 10, per }
  return inMinute === undefined ? [limit] : [limit, { calls: inMinute, seconds: 60, per }]
}
