import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Fault } from '../src/index.ts'
import { useEmulator } from './emulator-fixture.ts'
import { connectClient } from './real-time-client.ts'
import { exchange } from './signed-request.ts'

const fixture = useEmulator()

async function createPerson() {
  const id = await fixture.createIdentity()
  return { id, token: await fixture.issueToken(id) }
}

type Person = Awaited<ReturnType<typeof createPerson>>

async function connect({ token }: Person) {
  const client = await connectClient(fixture.emulator.endpoint, token)
  await client.take('5:::')
  return client
}

/** Creates a thread before its participants connect, so that they do not receive the event of its creation. */
function createThread(...[creator, ...others]: Person[]): string {
  const participants = others.map(({ id }) => ({ communicationUserId: id }))
  return fixture.emulator.chat.createThread({ topic: 'Lunch', createdBy: creator!.id, participants }).id
}

function send(threadId: string, sender: Person, content = 'Hello') {
  return fixture.emulator.chat.sendMessage({ threadId, communicationUserId: sender.id, content })
}

/** Returns the deliveries in the log. */
function getDeliveries() {
  return fixture.emulator.requests.list().filter(({ path }) => path.startsWith('/v4/f/'))
}

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string

describe('an event', () => {
  it('is a request, whose response is logged', async () => {
    const [alice, bob] = [await createPerson(), await createPerson()]
    const threadId = createThread(alice, bob)
    using client = await connect(bob)
    const { id } = send(threadId, alice)
    const { url } = client.allocation
    expect(await client.takeEvent()).toEqual({
      id: 1,
      method: 'POST',
      url: new URL(url).pathname,
      body: {
        eventId: 200,
        senderId: alice.id,
        recipientId: bob.id.slice(2),
        recipientMri: bob.id,
        transactionId: expect.stringMatching(/^[-\w]{22}$/) as string,
        groupId: threadId,
        messageId: id,
        collapseId: expect.stringMatching(/^[+/\w]{43}=$/) as string,
        messageType: 'Text',
        messageBody: 'Hello',
        senderDisplayName: '',
        clientMessageId: '',
        originalArrivalTime: new Date(Number(id)).toISOString(),
        priority: '',
        version: id,
        acsChatMessageMetadata: 'null',
      },
    })
    await expect.poll(getDeliveries).toMatchObject([
      {
        operation: 'chatMessageReceived',
        method: 'POST',
        path: new URL(url).pathname,
        resource: 'default',
        communicationUserId: bob.id,
        threadId,
        status: 200,
      },
    ])
  })

  it('of a thread has texts in the form that clients decode', async () => {
    const { emulator } = fixture
    const alice = await createPerson()
    using client = await connect(alice)
    const created = { topic: '100% of "x" %41 日本', createdBy: alice.id, metadata: { a: '%' }, retentionDays: 30 }
    const { id } = emulator.chat.createThread(created)
    const { body } = await client.takeEvent()
    expect(body).toMatchObject({
      eventId: 257,
      senderId: alice.id,
      recipientMri: alice.id,
      groupId: '',
      threadId: id,
      createTime: isoTime,
      version: expect.stringMatching(/^\d{13}$/) as string,
      threadType: 'chat',
      createdBy: JSON.stringify({ displayName: null, participantId: alice.id }),
    })
    expect(body.properties).not.toContain('%')
    expect(JSON.parse(body.properties)).toEqual({
      topic: created.topic,
      acsChatThreadMetadata: '{"a":"%"}',
      retentionPolicy: '{"retentionPolicyType":"DeleteAfterCreationTime","executeAfter":"30.00:00:00"}',
    })
    expect(JSON.parse(body.members)).toMatchObject([{ displayName: null, participantId: alice.id }])
    emulator.clock.advance(30 * 24 * 60 * 60_000)
    const deleted = (await client.takeEvent()).body
    expect(deleted).toMatchObject({ eventId: 259, threadId: id, deleteTime: isoTime, reason: 'deletedByPolicy' })
    expect(deleted).not.toHaveProperty('deletedBy')
  })

  it('reaches each connection of its recipients once, and only those', async () => {
    const [alice, bob, carol] = [await createPerson(), await createPerson(), await createPerson()]
    const threadId = createThread(alice, bob)
    using own = await connect(alice)
    using tab = await connect(bob)
    using otherTab = await connect(bob)
    using stranger = await connect(carol)
    send(threadId, alice)
    for (const client of [own, tab, otherTab]) expect((await client.takeEvent()).body.messageBody).toBe('Hello')
    for (const client of [own, tab, otherTab, stranger]) {
      client.socket.send('5:1+::{"name":"ping"}')
      await client.take('6:::1+')
      expect(client.packets.filter((packet) => packet.startsWith('3:::'))).toEqual([])
    }
  })

  it('follows its system message, and reaches a removed participant', async () => {
    const { emulator } = fixture
    const [alice, bob] = [await createPerson(), await createPerson()]
    const threadId = createThread(alice, bob)
    using client = await connect(bob)
    const listTypes = async () => {
      const target = `/chat/threads/${threadId}/messages?api-version=2025-03-15`
      const { json } = await exchange(emulator.endpoint, {
        target,
        headers: { authorization: `Bearer ${alice.token}` },
      })
      return (json.value as { type: string }[]).map(({ type }) => type)
    }
    const member = { threadId, communicationUserId: alice.id }
    emulator.chat.removeParticipant({ ...member, participant: bob.id })
    const { body } = await client.takeEvent()
    expect(body).toMatchObject({ eventId: 261, threadId, removedBy: expect.stringContaining(alice.id) as string })
    expect(JSON.parse(body.participantsRemoved)).toMatchObject([{ participantId: bob.id }])
    expect((await listTypes())[0]).toBe('participantRemoved')
    send(threadId, alice)
    emulator.chat.addParticipants({ ...member, participants: [{ communicationUserId: bob.id }] })
    expect((await client.takeEvent()).body.eventId).toBe(260)
    expect((await listTypes())[0]).toBe('participantAdded')
  })

  it('is logged without a status if the client rejects it, or does not respond', async () => {
    const alice = await createPerson()
    const threadId = createThread(alice)
    using client = await connect(alice)
    send(threadId, alice)
    await client.takeEvent(404)
    send(threadId, alice)
    await client.take('3:::')
    client.socket.terminate()
    await expect.poll(() => getDeliveries().map(({ status }) => status)).toEqual([404, undefined])
  })

  it('is not logged after a reset', async () => {
    const alice = await createPerson()
    const threadId = createThread(alice)
    using client = await connect(alice)
    send(threadId, alice)
    await client.take('3:::')
    await fixture.emulator.reset()
    await client.closed
    expect(getDeliveries()).toEqual([])
  })

  it('does not wait for a client that does not read, whose connection is closed', async () => {
    const { emulator } = fixture
    const [alice, bob] = [await createPerson(), await createPerson()]
    const threadId = createThread(alice, bob)
    using slow = await connect(bob)
    using client = await connect(alice)
    slow.socket.pause()
    const content = 'a'.repeat(28 * 1024)
    while (emulator.chat.connections().length === 2) {
      send(threadId, alice, content)
      expect((await client.takeEvent()).body.messageBody).toBe(content)
    }
    expect(emulator.chat.connections()).toMatchObject([{ communicationUserId: alice.id, resource: 'default' }])
  })
})

describe('a fault of an event', () => {
  const operation = 'chatMessageReceived'

  /** Connects a person, sends messages with a fault for the first one, and returns the connection. */
  async function sendWith(fault: Fault, ...contents: string[]) {
    const alice = await createPerson()
    const threadId = createThread(alice)
    const client = await connect(alice)
    fixture.emulator.faults.add({ operation, count: 1, ...fault })
    for (const content of contents) send(threadId, alice, content)
    return client
  }

  it('loses it', async () => {
    using client = await sendWith({ drop: true }, 'lost', 'received')
    expect((await client.takeEvent()).body.messageBody).toBe('received')
    await expect.poll(getDeliveries).toMatchObject([
      { operation, status: undefined, errorCode: 'InjectedFault' },
      { operation, status: 200, errorCode: undefined },
    ])
  })

  it('sends it twice', async () => {
    using client = await sendWith({ duplicate: true }, 'a', 'b')
    const received = [await client.takeEvent(), await client.takeEvent(), await client.takeEvent()]
    expect(received.map(({ body }) => body.messageBody)).toEqual(['a', 'a', 'b'])
    expect(new Set(received.map(({ id }) => id)).size).toBe(3)
  })

  it('delays it, and ends the delay when it is removed', async () => {
    const { emulator } = fixture
    using client = await sendWith({ latencyMs: 2 ** 31 - 1 }, 'late', 'in time')
    expect((await client.takeEvent()).body.messageBody).toBe('in time')
    await sleep(50)
    expect(client.packets).toEqual(['1::'])
    emulator.faults.clear()
    expect((await client.takeEvent()).body.messageBody).toBe('late')
  })

  it('cuts the connection before or after it', async () => {
    using before = await sendWith({ reset: true }, 'lost')
    expect(await before.closed).toBe(1006)
    expect(before.packets).toEqual(['1::'])
    using after = await sendWith({ reset: true, phase: 'after' }, 'received')
    expect((await after.takeEvent()).body.messageBody).toBe('received')
    expect(await after.closed).toBe(1006)
    expect(getDeliveries()).toMatchObject([
      { status: undefined, errorCode: 'InjectedFault' },
      { status: 200, errorCode: undefined },
    ])
  })

  it('applies to one recipient', async () => {
    const [alice, bob] = [await createPerson(), await createPerson()]
    const threadId = createThread(alice, bob)
    using client = await connect(alice)
    using other = await connect(bob)
    fixture.emulator.faults.add({ operation, drop: true, communicationUserId: bob.id })
    for (const content of ['a', 'b']) send(threadId, alice, content)
    fixture.emulator.faults.clear()
    send(threadId, alice, 'c')
    expect((await client.takeEvent()).body.messageBody).toBe('a')
    expect((await other.takeEvent()).body.messageBody).toBe('c')
  })

  it.each<[Fault, string]>([
    [{ operation }, 'a fault of an event needs latencyMs, reset, drop or duplicate'],
    [{ operation, status: 500 }, 'status is valid only for operations'],
    [{ operation, latencyMs: 1, retryAfterSeconds: 1 }, 'retryAfterSeconds is valid only for operations'],
    [{ operation, drop: true, duplicate: true }, 'use only one of reset, drop and duplicate'],
    [{ operation: 'sendChatMessage', drop: true }, 'drop is valid only for events: set operation to one of chat'],
    [{ status: 500, communicationUserId: 'a' }, 'communicationUserId is valid only for events'],
  ])('is rejected with the reason: %j', (fault, reason) => {
    expect(() => fixture.emulator.faults.add(fault)).toThrow(reason)
  })
})
