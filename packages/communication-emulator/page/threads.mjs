import { get } from './api.mjs'
import { createForm, dangerousButton, field } from './action.mjs'
import { copyable, definitions, element, linkTo } from './dom.mjs'
import { formatTime, formatUserId, toIso } from './format.mjs'
import { createList } from './list.mjs'
import { createRelatedRequests } from './requests.mjs'

/** @typedef {import('./api.mjs').LoggedRequest} LoggedRequest */
/** @typedef {import('./api.mjs').Message} Message */
/** @typedef {import('./api.mjs').Thread} Thread */
/** @typedef {import('./main.mjs').Route} Route */
/** @typedef {import('./main.mjs').View} View */
/** @typedef {Thread['participants'][number]} Participant */

/** @param {string} id */
function linkToUser(id) {
  return linkTo('identities', id, formatUserId(id))
}

/** @param {URLSearchParams} [parameters] Without them, the list is of one user. */
export function createThreadList(parameters) {
  return createList({
    noun: 'threads',
    key: ({ id }) => id,
    columns: [
      { name: 'Topic', cell: ({ id, topic }) => linkTo('threads', id, topic), isWide: true },
      { name: 'Participants', cell: ({ participants }) => String(participants.length), isLabelled: true },
      { name: 'Created by', cell: ({ createdBy }) => linkToUser(createdBy), isLabelled: true },
      { name: 'Created', cell: ({ createdAt }) => formatTime(toIso(createdAt)), isLabelled: true },
    ],
    empty: 'No chat threads exist.',
    ...(parameters && { parameters }),
  })
}

/** @param {Route} route @returns {View} */
export function createThreadsView({ parameters }) {
  const list = createThreadList(parameters)
  const form = createForm({
    label: 'Create thread',
    fields: [
      field('Topic', element('input', { name: 'topic', required: true })),
      field('Id of its creator', element('input', { name: 'createdBy', required: true })),
      field('Ids of other participants', element('input', { name: 'others' })),
    ],
    toCall({ topic, createdBy, others = '' }) {
      const participants = others
        .split(/[\s,]+/)
        .filter(Boolean)
        .map((communicationUserId) => ({ communicationUserId }))
      return { method: 'POST', path: 'chat/threads', body: { topic, createdBy, participants } }
    },
    success: () => 'Created the thread.',
  })
  return {
    title: 'Threads',
    content: [list.element, element('section', { class: 'card' }, element('h2', {}, 'Create a thread'), form)],
    load: async () => list.show((await get('chat/threads')).toReversed()),
  }
}

/** @param {Route} route @returns {View} */
export function createThreadView({ id, parameters }) {
  const summary = element('div')
  const sender = element('select', { name: 'communicationUserId', required: true })
  const participants = createParticipantList(id)
  const messages = createMessageList(parameters)
  const requests = createRelatedRequests(id)
  const form = createForm({
    label: 'Send',
    fields: [
      field('As', sender),
      field('Message', element('input', { name: 'content', required: true })),
      field('Type', element('select', { name: 'type' }, element('option', {}, 'text'), element('option', {}, 'html'))),
    ],
    toCall: (values) => ({ method: 'POST', path: 'chat/messages', body: { threadId: id, ...values } }),
    success: () => 'Sent the message.',
  })
  const addForm = createForm({
    label: 'Add participant',
    fields: [
      field('Id of the user', element('input', { name: 'user', required: true })),
      field('Name', element('input', { name: 'displayName', placeholder: 'none' })),
    ],
    toCall({ user, displayName }) {
      const participants = [{ communicationUserId: user, ...(displayName && { displayName }) }]
      return {
        method: 'POST',
        path: 'chat/participants',
        body: { threadId: id, communicationUserId: sender.value, participants },
      }
    },
    success: () => 'Added the participant.',
  })
  return {
    title: 'Thread',
    parent: 'threads',
    content: [
      copyable(id, 'the id'),
      summary,
      element('h2', {}, 'Messages'),
      messages.element,
      element('section', { class: 'card' }, element('h2', {}, 'Send a message'), form),
      element('h2', {}, 'Participants'),
      participants.element,
      element('section', { class: 'card' }, element('h2', {}, 'Add a participant'), addForm),
      element('h2', {}, 'Requests and events'),
      requests.element,
    ],
    async load() {
      const [threads, allMessages, allRequests] = await Promise.all([
        get('chat/threads'),
        get('chat/messages', { threadId: id }),
        get('requests'),
      ])
      const thread = threads.find((candidate) => candidate.id === id)
      if (!thread) return
      summary.replaceChildren(describe(thread))
      participants.show(thread.participants)
      messages.show(allMessages.toReversed())
      requests.show(allRequests.filter(({ threadId }) => threadId === id).toReversed())
      showSenders(thread.participants)
    },
  }

  /** @param {readonly Participant[]} current */
  function showSenders(current) {
    const options = current.map(({ communicationUserId, displayName }) =>
      element('option', { value: communicationUserId }, displayName ?? formatUserId(communicationUserId)),
    )
    if (options.map(({ value }) => value).join(' ') === Array.from(sender.options, ({ value }) => value).join(' '))
      return
    sender.replaceChildren(...options)
    for (const changed of [form, addForm]) changed.dispatchEvent(new Event('input'))
  }
}

/** @param {Thread} thread */
function describe({ topic, resource, createdAt, createdBy, retentionDays, metadata }) {
  return definitions({
    Topic: topic,
    Resource: resource,
    Created: formatTime(toIso(createdAt)),
    'Created by': linkToUser(createdBy),
    Retention: retentionDays === undefined ? undefined : `${retentionDays} days`,
    Metadata: metadata && JSON.stringify(metadata),
  })
}

/** @param {URLSearchParams} parameters */
function createMessageList(parameters) {
  return createList({
    noun: 'messages',
    key: ({ sequenceId }) => String(sequenceId),
    columns: [
      { name: 'Sender', cell: createSender },
      { name: 'Message', cell: createContent, isWide: true },
      { name: 'Sent', cell: ({ createdAt }) => formatTime(toIso(createdAt)) },
    ],
    states: {
      Sent: ({ sender }) => sender !== undefined,
      System: ({ sender }) => sender === undefined,
    },
    empty: 'No messages.',
    parameters,
  })
}

/** @param {Message} message */
function createSender({ sender, senderDisplayName }) {
  return sender === undefined ? 'system' : linkTo('identities', sender, senderDisplayName ?? formatUserId(sender))
}

/** @param {Message} message */
function createContent({ type, content, editedAt, deletedAt }) {
  const state = deletedAt !== undefined ? 'deleted' : editedAt !== undefined ? 'edited' : undefined
  return element(
    'div',
    {},
    type !== 'text' && element('span', { class: 'badge' }, type),
    ` ${formatContent(content)} `,
    state && element('span', { class: 'badge soon' }, state),
  )
}

/** @param {Message['content']} content */
function formatContent({ message, topic, participants }) {
  const names = participants?.map(({ communicationUserId: id, displayName }) => displayName ?? formatUserId(id))
  return message ?? topic ?? names?.join(', ') ?? ''
}

/** @param {string} threadId */
function createParticipantList(threadId) {
  /** @param {Participant} participant */
  const createRemoveButton = ({ communicationUserId, displayName }) =>
    dangerousButton('Remove', {
      title: 'Remove the participant?',
      text: `${displayName ?? communicationUserId} leaves the thread.`,
      call: { method: 'DELETE', path: `chat/participants?${new URLSearchParams({ threadId, communicationUserId })}` },
      success: () => 'Removed the participant.',
    })
  return createList({
    noun: 'participants',
    key: ({ communicationUserId }) => communicationUserId,
    columns: [
      { name: 'User', cell: ({ communicationUserId: id }) => linkToUser(id) },
      { name: 'Name', cell: ({ displayName }) => displayName, isWide: true },
      { name: 'Sees messages', cell: formatHistory, isLabelled: true },
      { name: 'Action', cell: createRemoveButton },
    ],
    empty: 'No participants.',
  })
}

/** @param {Participant} participant */
function formatHistory({ shareHistoryFrom: from }) {
  return from === 0 ? 'all' : `from ${formatTime(toIso(from))}`
}
