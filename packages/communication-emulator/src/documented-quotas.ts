import type { Limit } from './quotas.ts'

// guess(shared-limits): operations that the documentation lists in one row share a count.
const chat = {
  participants: perMinute('thread', 10, 30),
  reads: [{ calls: 50, seconds: 10, per: 'user' }],
  messages: perMinute('thread', 10, 30),
} satisfies Record<string, readonly Limit[]>

// Two limits each: in 10 seconds and, where documented, in a minute.
export const documentedChatQuotas = {
  createChatThread: [{ calls: 10, seconds: 10, per: 'user' }],
  deleteChatThread: [{ calls: 10, seconds: 10, per: 'user' }],
  updateChatThreadProperties: [{ calls: 5, seconds: 10, per: 'thread' }],
  getChatThreadProperties: chat.reads,
  listChatThreads: chat.reads,
  addChatParticipants: chat.participants,
  removeChatParticipant: chat.participants,
  listChatParticipants: [
    { calls: 10, seconds: 10, per: 'userInThread' },
    { calls: 250, seconds: 10, per: 'thread' },
  ],
  sendChatMessage: chat.messages,
  updateChatMessage: chat.messages,
  deleteChatMessage: chat.messages,
  getChatMessage: [
    { calls: 50, seconds: 10, per: 'userInThread' },
    { calls: 250, seconds: 10, per: 'thread' },
  ],
  listChatMessages: [...perMinute('userInThread', 50, 200), ...perMinute('thread', 250, 400)],
  sendChatReadReceipt: perMinute('userInThread', 10, 30),
  listChatReadReceipts: [
    { calls: 5, seconds: 10, per: 'userInThread' },
    { calls: 100, seconds: 10, per: 'thread' },
  ],
  sendTypingNotification: [...perMinute('userInThread', 5, 15), ...perMinute('thread', 10, 30)],
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

function perMinute(per: Limit['per'] & string, in10Seconds: number, inMinute: number): readonly Limit[] {
  return [
    { calls: in10Seconds, seconds: 10, per },
    { calls: inMinute, seconds: 60, per },
  ]
}
