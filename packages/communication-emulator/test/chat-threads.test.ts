import { describe, expect, it } from 'vitest'
import { useChat, type ChatPerson } from './chat-fixture.ts'
import { exchange } from './signed-request.ts'

const fixture = useChat()
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const versions = ['2021-03-07', '2021-04-05-preview6', '2021-09-07', '2023-11-07', '2024-03-07', '2025-03-15'] as const

const toIdentifier = ({ id }: ChatPerson) => ({ rawId: id, communicationUser: { id } })

describe('threads', () => {
  it('are created with two system messages, and have the recorded forms', async () => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const { response, id } = await fixture.createThread(alice, bob)
    const { host } = new URL(fixture.emulator.endpoint)
    expect(id).toMatch(/^19:acsV2_[\w-]{43}1@thread\.v2$/)
    expect(response).toMatchObject({
      status: 201,
      headers: {
        location: `https://${host}/chat/threads/19%3A${id.slice(3)}`,
        'content-type': 'application/json; charset=utf-8',
        'api-supported-versions': versions.join(', '),
      },
    })
    expect(response.headers['x-ms-client-request-id']).toBeUndefined()
    expect(response.json).toEqual({
      chatThread: {
        id,
        topic: 'Lunch',
        createdOn: expect.stringMatching(time),
        createdByCommunicationIdentifier: toIdentifier(alice),
      },
    })
    expect((await alice.call('GET', '')).json).toEqual({
      value: [{ id, topic: 'Lunch' }],
    })
    expect((await bob.call('GET', `/${id}`)).json).toEqual(response.json.chatThread)
    const { value } = (await bob.call('GET', `/${id}/messages`)).json
    expect(value).toEqual([
      {
        id: value[0].id,
        type: 'topicUpdated',
        sequenceId: '2',
        version: value[0].id,
        content: { topic: 'Lunch', initiatorCommunicationIdentifier: toIdentifier(alice) },
        createdOn: expect.stringMatching(time),
      },
      {
        id: value[1].id,
        type: 'participantAdded',
        sequenceId: '1',
        version: value[1].id,
        content: {
          participants: [alice, bob].map((person) => ({
            communicationIdentifier: toIdentifier(person),
            shareHistoryTime: '1970-01-01T00:00:00Z',
          })),
          initiatorCommunicationIdentifier: toIdentifier(alice),
        },
        createdOn: expect.stringMatching(time),
      },
    ])
    expect(value[0].id).toMatch(/^\d{13}$/)
  })

  it('are created once for a repeatability id of a user', async () => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const options = { headers: { 'repeatability-request-id': '3b241101-e2bb-4255-8caf-4136c566a962' } }
    const first = await alice.call('POST', '', { topic: 'One' }, options)
    const second = await alice.call('POST', '', { topic: 'Two' }, options)
    expect({ status: second.status, body: second.json }).toEqual({ status: 201, body: first.json })
    const other = await bob.call('POST', '', { topic: 'Two' }, options)
    expect(other.json.chatThread.topic).toBe('Two')
    expect(fixture.emulator.chat.threads()).toHaveLength(2)
    const empty = { headers: { 'repeatability-request-id': '' } }
    for (const topic of ['Three', 'Four']) {
      expect((await alice.call('POST', '', { topic }, empty)).json.chatThread.topic).toBe(topic)
    }
  })

  it('merge metadata, and have a retention', async () => {
    const alice = await fixture.createPerson()
    const retentionPolicy = { kind: 'threadCreationDate', deleteThreadAfterDays: 30 }
    const metadata = { color: 'red', size: 'small' }
    const created = await alice.call('POST', '', { topic: 'Lunch', metadata, retentionPolicy })
    expect(created.json.chatThread).toMatchObject({ metadata, retentionPolicy })
    const { id } = created.json.chatThread
    const patch = (body: unknown) =>
      alice.call('PATCH', `/${id}`, body, { headers: { 'content-type': 'application/merge-patch+json' } })
    expect(await patch({ metadata: { size: 'large', shape: 'round' } })).toMatchObject({ status: 204, text: '' })
    expect((await alice.call('GET', `/${id}`)).json).toMatchObject({
      metadata: { color: 'red', size: 'large', shape: 'round' },
      retentionPolicy,
    })
    await patch({ metadata: { color: null }, retentionPolicy: { kind: 'none' } })
    const { metadata: after, ...rest } = (await alice.call('GET', `/${id}`)).json
    expect(after).toEqual({ size: 'large', shape: 'round' })
    expect(rest).not.toHaveProperty('retentionPolicy')
    // Only a new topic is a message.
    expect(fixture.emulator.chat.messages(id)).toHaveLength(2)
  })

  it('are listed after their deletion, but cannot be read', async () => {
    const alice = await fixture.createPerson()
    const options = { headers: { 'repeatability-request-id': '3b241101-e2bb-4255-8caf-4136c566a962' } }
    const create = async () => (await alice.call('POST', '', { topic: 'Lunch' }, options)).json.chatThread.id as string
    const id = await create()
    expect((await alice.call('POST', `/${id}/messages`, { content: 'Hello' })).status).toBe(201)
    expect((await alice.call('DELETE', `/${id}`)).status).toBe(204)
    for (const target of [`/${id}`, `/${id}/messages`]) expect((await alice.call('GET', target)).status).toBe(404)
    const stranger = await fixture.createPerson()
    expect((await stranger.call('DELETE', `/${id}`)).status).toBe(403)
    // Another deletion is accepted, without an event.
    expect(await alice.call('DELETE', `/${id}`)).toMatchObject({ status: 204, text: '' })
    const { chat } = fixture.emulator
    const event = { name: 'chatThreadDeleted', threadId: id, timeoutMs: 0 } as const
    const { index } = (await chat.waitForEvent({ ...event, after: 0 }))!
    expect(await chat.waitForEvent({ ...event, after: index })).toBeUndefined()
    const { value } = (await alice.call('GET', '')).json
    expect(value).toEqual([
      {
        id,
        topic: 'Lunch',
        deletedOn: expect.stringMatching(time),
        lastMessageReceivedOn: expect.stringMatching(time),
      },
    ])
    expect(await create()).not.toBe(id)
  })

  it('are found by escaped and plain ids, and with two leading slashes', async () => {
    const alice = await fixture.createPerson()
    const { id } = await fixture.createThread(alice)
    expect((await alice.call('GET', `/${encodeURIComponent(id)}`)).status).toBe(200)
    const { endpoint } = fixture.emulator
    const doubled = await exchange(endpoint, {
      target: `//chat/threads/${encodeURIComponent(id)}/messages?maxPageSize=1&api-version=2025-03-15`,
      headers: { authorization: `Bearer ${alice.token}` },
    })
    expect(doubled.json.nextLink).toContain(`${endpoint}chat/threads/${id}/messages?`)
  })
})

describe('participants', () => {
  it('are added, listed in pages, and removed', async () => {
    const alice = await fixture.createPerson()
    const [bob, carol] = [await fixture.createPerson(), await fixture.createPerson()]
    const { id } = await fixture.createThread(alice)
    const [first, second] = fixture.toParticipants(bob, carol)
    const participants = [{ ...first, displayName: 'Bob', metadata: { role: 'guest' } }, second]
    const added = await alice.call('POST', `/${id}/participants/:add`, { participants })
    expect({ status: added.status, text: added.text }).toEqual({ status: 201, text: '{}' })
    // A user who is added again is not announced again.
    await alice.call('POST', `/${id}/participants/:add`, { participants: [second] })

    const page = (await alice.call('GET', `/${id}/participants?maxPageSize=2`)).json
    expect(page.value).toEqual([
      { communicationIdentifier: toIdentifier(alice), shareHistoryTime: '1970-01-01T00:00:00Z' },
      { ...participants[0], shareHistoryTime: '1970-01-01T00:00:00Z' },
    ])
    expect(page.nextLink).toContain('?skip=2&maxPageSize=2&api-version=2025-03-15')
    const rest = await alice.call('GET', `/${id}/participants?skip=2`)
    expect(rest.json.value).toMatchObject([second])

    const removed = await alice.call('POST', `/${id}/participants/:remove`, toIdentifier(bob))
    expect({ status: removed.status, text: removed.text }).toEqual({ status: 204, text: '' })
    const types = fixture.emulator.chat.messages(id).map(({ type }) => type)
    expect(types).toEqual(['participantAdded', 'topicUpdated', 'participantAdded', 'participantRemoved'])
    expect((await alice.call('POST', `/${id}/participants/:remove`, toIdentifier(bob))).status).toBe(404)
  })

  it('have ids in lower case, whatever the request has', async () => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const upper = { id: `8:acs:${bob.id.slice('8:acs:'.length).toUpperCase()}` }
    const { json } = await alice.call('POST', '', { topic: 'Lunch', participants: fixture.toParticipants(upper) })
    const { id } = json.chatThread
    const { value } = (await bob.call('GET', `/${id}/participants`)).json
    expect(value[1].communicationIdentifier).toEqual(toIdentifier(bob))
    expect((await alice.call('POST', `/${id}/participants/:remove`, { rawId: upper.id })).status).toBe(204)
  })

  it('see messages from the time on from which the history is shared', async () => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const { id } = await fixture.createThread(alice)
    const early = (await alice.call('POST', `/${id}/messages`, { content: 'early' })).json.id as string
    fixture.emulator.clock.advance(60_000)
    const shareHistoryTime = new Date(fixture.emulator.clock.now()).toISOString()
    const participants = [{ ...fixture.toParticipants(bob)[0], shareHistoryTime }]
    await alice.call('POST', `/${id}/participants/:add`, { participants })
    await alice.call('POST', `/${id}/messages`, { content: 'late' })
    const { value } = (await bob.call('GET', `/${id}/messages`)).json
    expect(value.map(({ sequenceId }: { sequenceId: string }) => sequenceId)).toEqual(['5', '4'])
    expect((await bob.call('GET', `/${id}/messages/${early}`)).status).toBe(404)
    expect((await alice.call('GET', `/${id}/messages`)).json.value).toHaveLength(5)
  })

  it('that cannot be added are returned, and the others are added', async () => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const unknown = bob.id.replace(/-[\da-f]{12}$/, '-ffffffffffff')
    const teams = { microsoftTeamsUser: { userId: '1e5c5a3c-7c3a-4a5e-9d3e-1c2b3a4d5e6f' } }
    const participants = [...fixture.toParticipants(bob, { id: unknown }), { communicationIdentifier: teams }]
    const { status, json } = await alice.call('POST', '', { topic: 'Lunch', participants })
    expect({ status, invalid: json.invalidParticipants }).toEqual({
      status: 201,
      invalid: [
        { code: '404', message: expect.any(String), target: unknown },
        {
          code: '403',
          message: expect.stringMatching(/^Permissions check failed/),
          target: `8:orgid:${teams.microsoftTeamsUser.userId}`,
        },
      ],
    })
    expect(fixture.emulator.chat.threads()[0]!.participants.map((each) => each.communicationUserId)).toEqual([
      alice.id,
      bob.id,
    ])
  })

  it.each([
    [{ communicationUser: { id: '8:acs:invalidUserId' } }, 'Identifier format is invalid (8:acs:invalidUserId).'],
    [{ phoneNumber: { value: '+14255550123' } }, 'Identifier format is not supported (4:+14255550123).'],
    [{ rawId: '28:orgid:bot' }, 'Identifier format is not supported (28:orgid:bot).'],
  ])('reject the identifier %j', async (communicationIdentifier, message) => {
    const alice = await fixture.createPerson()
    const body = { topic: 'Lunch', participants: [{ communicationIdentifier }] }
    const { status, json } = await alice.call('POST', '', body)
    expect({ status, json }).toEqual({
      status: 400,
      json: { CommunicationError: { Code: 'BadRequest', Message: message, Details: [] } },
    })
  })
})
