import type { Clock } from '../clock.ts'
import type { Store } from '../store.ts'
import { badRequest, ChatError, forbidden } from './chat-error.ts'
import type { ChatActor } from './chat-event.ts'
import type { ChatEvents } from './chat-events.ts'
import type { ChatMessages } from './chat-messages.ts'
import type { ChatParticipant } from './chat-thread.ts'
import type { ChatThreads, Membership, StoredThread, ThreadChange } from './chat-threads.ts'
import { chatLimits, checkMetadata, checkRetentionDays } from './limits.ts'

export interface ChatOperationsOptions {
  readonly store: Store
  readonly clock: Clock
  readonly threads: ChatThreads
  readonly messages: ChatMessages
  readonly events: ChatEvents
}

export interface NewThread {
  readonly resourceId: number
  readonly topic: string
  readonly createdBy: string
  /** The creator is added if missing. */
  readonly participants: readonly ChatParticipant[]
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly retentionDays?: number | undefined
  readonly repeatabilityId?: string | undefined
}

export type ThreadOperations = ReturnType<typeof createThreadOperations>

/** Changes threads and their participants, and publishes the events of the changes. */
export function createThreadOperations({ store, clock, threads, messages, events }: ChatOperationsOptions) {
  /** Creates a thread, or returns the one that its creator has created with the same repeatability id. */
  function create(input: NewThread): StoredThread {
    const { topic, createdBy, repeatabilityId } = input
    // guess(chat-repeatability)
    const repeated = repeatabilityId !== undefined && threads.findRepeated(createdBy, repeatabilityId)
    if (repeated) return repeated
    checkThread(input)
    const now = clock.now()
    const participants = withCreator(input)
    checkParticipants(participants, participants.length)
    const created = store.transaction(() => {
      const { metadata, retentionDays, resourceId } = input
      const stored = threads.insert({
        resourceId,
        topic,
        createdBy,
        metadata,
        retentionDays,
        repeatabilityId,
        createdAt: now,
      })
      for (const participant of participants) threads.putParticipant(stored.key, participant)
      messages.append(stored.key, { type: 'participantAdded', content: { participants, initiator: createdBy } }, now)
      messages.append(stored.key, { type: 'topicUpdated', content: { topic, initiator: createdBy } }, now)
      return stored
    })
    events.publish({
      name: 'chatThreadCreated',
      thread: created.thread,
      recipients: participants.map(({ communicationUserId }) => communicationUserId),
      at: now,
      by: toActor(participants[0]!),
      participants,
    })
    return created
  }

  /** Returns a thread of a resource and its participant. Throws the service's error if either does not exist. */
  function requireMember(
    resource: string,
    threadId: string,
    communicationUserId: string,
    { orDeleted = false } = {},
  ): Membership {
    // guess(thread-id): which ids are malformed.
    if (!/^19:[\w-]+@thread\.v2$/.test(threadId)) throw badRequest('The thread id is malformed.')
    const stored = threads.find(threadId, { orDeleted })
    // guess(unknown-thread)
    if (stored?.thread.resource !== resource) {
      throw new ChatError(404, 'NotFound', { message: 'The specified thread id was not found.' })
    }
    const participant = threads.findParticipant(stored.key, communicationUserId)
    // guess(removed-participant)
    if (!participant) throw forbidden('NotParticipant', 'The user is not a participant of the thread.')
    return { ...stored, participant }
  }

  function update(member: Membership, change: ThreadChange): void {
    if (Object.keys(change).length === 0) return
    const now = clock.now()
    const { key, participant } = member
    const { topic } = change
    checkThread(change)
    const initiator = participant.communicationUserId
    const { thread, at } = store.transaction(() => {
      const changed = threads.update(member, change)
      const at =
        topic === undefined
          ? threads.nextVersion(key, now)
          : Number(messages.append(key, { type: 'topicUpdated', content: { topic, initiator } }, now).id)
      return { thread: changed.thread, at }
    })
    const by = toActor(participant)
    events.publish({ name: 'chatThreadPropertiesUpdated', thread, recipients: threads.listUsers(key), at, by })
  }

  // guess(deleted-thread)
  /** Deletes a thread; without `by`, because its retention has ended. */
  function remove(stored: StoredThread, by?: ChatParticipant): void {
    if (stored.deletedAt !== undefined) return
    const at = clock.now()
    const recipients = threads.listUsers(stored.key)
    threads.remove(stored, at)
    events.publish({ name: 'chatThreadDeleted', thread: stored.thread, recipients, at, by: by && toActor(by) })
  }

  // guess(add-twice): adding a participant again changes its display name and metadata only.
  function addParticipants({ key, thread, participant }: Membership, given: readonly ChatParticipant[]): void {
    const users = new Set(threads.listUsers(key))
    const unique = getUnique(given)
    const added = unique.filter(({ communicationUserId }) => !users.has(communicationUserId))
    checkParticipants(unique, users.size + added.length)
    const initiator = participant.communicationUserId
    const message = store.transaction(() => {
      for (const each of unique) threads.putParticipant(key, each)
      if (added.length === 0) return undefined
      const content = { participants: added, initiator }
      return messages.append(key, { type: 'participantAdded', content }, clock.now())
    })
    if (!message) return
    events.publish({
      name: 'participantsAdded',
      thread,
      recipients: threads.listUsers(key),
      at: Number(message.id),
      by: toActor(participant),
      participants: added,
    })
  }

  function removeParticipant({ key, thread, participant }: Membership, communicationUserId: string): void {
    const removed = threads.findParticipant(key, communicationUserId)
    // guess(remove-unknown)
    if (!removed) throw new ChatError(404, 'NotFound', { message: 'The specified participant was not found.' })
    // guess(event-recipients): the removed user is also notified; Microsoft's sample app depends on it.
    const recipients = threads.listUsers(key)
    const content = { participants: [removed], initiator: participant.communicationUserId }
    const message = store.transaction(() => {
      threads.removeParticipant(key, communicationUserId)
      return messages.append(key, { type: 'participantRemoved', content }, clock.now())
    })
    events.publish({
      name: 'participantsRemoved',
      thread,
      recipients,
      at: Number(message.id),
      by: toActor(participant),
      participants: [removed],
    })
  }

  return { create, requireMember, update, remove, addParticipants, removeParticipant }
}

function toActor({ communicationUserId, displayName }: ChatParticipant): ChatActor {
  return { communicationUserId, displayName }
}

/** Returns the participants of a new thread, with the creator first. */
function withCreator({ createdBy, participants }: NewThread): ChatParticipant[] {
  const creator = participants.find(({ communicationUserId }) => communicationUserId === createdBy)
  const first = creator ?? {
    communicationUserId: createdBy,
    displayName: undefined,
    shareHistoryFrom: 0,
    metadata: undefined,
  }
  return getUnique([first, ...participants])
}

/** Returns the first of the participants with the same id. */
function getUnique(participants: readonly ChatParticipant[]): ChatParticipant[] {
  const unique = new Map<string, ChatParticipant>()
  for (const each of participants) {
    if (!unique.has(each.communicationUserId)) unique.set(each.communicationUserId, each)
  }
  return [...unique.values()]
}

function checkThread({ topic, metadata, retentionDays }: ThreadChange): void {
  if (topic === '') throw badRequest('The topic must not be empty.')
  checkMetadata(metadata)
  checkRetentionDays(retentionDays)
}

/** Rejects participants above the documented sizes; `total` is the number of participants of the thread with them. */
function checkParticipants(given: readonly ChatParticipant[], total: number): void {
  for (const { metadata } of given) checkMetadata(metadata)
  // guess(chat-limits)
  if (total <= chatLimits.participants) return
  throw badRequest(`A thread can have at most ${chatLimits.participants} participants.`)
}
