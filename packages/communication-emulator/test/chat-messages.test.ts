import { describe, expect, it } from 'vitest'
import { useChat, type ChatPerson } from './chat-fixture.ts'
import { exchange } from './signed-request.ts'

const fixture = useChat()
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

const toIdentifier = ({ id }: ChatPerson) => ({ rawId: id, communicationUser: { id } })

describe('messages', () => {
  it('have increasing ids and sequence numbers, and a new version after a change', async () => {
    const alice = await fixture.createPerson()
    const { id: thread } = await fixture.createThread(alice)
    const { host } = new URL(fixture.emulator.endpoint)
    // Even in one millisecond, and after the clock moved back.
    const sent: string[] = []
    for (let n = 0; n < 3; n++) {
      const { status, json, headers } = await alice.call('POST', `/${thread}/messages`, { content: `${n}` })
      expect({ status, keys: Object.keys(json) }).toEqual({ status: 201, keys: ['id'] })
      expect(headers['location']).toBe(`https://${host}/chat/threads/${thread.replace(':', '%3A')}/messages/${json.id}`)
      sent.push(json.id as string)
      fixture.emulator.clock.advance(-1000)
    }
    expect(sent.map(Number)).toEqual(sent.map(Number).toSorted((a, b) => a - b))
    expect(new Set(sent).size).toBe(3)

    const target = `/${thread}/messages/${sent[0]}`
    const before = (await alice.call('GET', target)).json
    expect(before).toEqual({
      id: sent[0],
      type: 'text',
      sequenceId: '3',
      version: sent[0],
      content: { message: '0', attachments: [] },
      senderDisplayName: '',
      createdOn: expect.stringMatching(time),
      senderCommunicationIdentifier: toIdentifier(alice),
    })
    expect(await alice.call('PATCH', target, { content: 'zero', metadata: { a: 'b' } })).toMatchObject({ status: 204 })
    const edited = (await alice.call('GET', target)).json
    expect(edited).toMatchObject({ content: { message: 'zero' }, metadata: { a: 'b' }, sequenceId: '3' })
    expect(edited.editedOn).toMatch(time)
    expect(Number(edited.version)).toBeGreaterThan(Number(sent[2]))

    expect(await alice.call('DELETE', target)).toMatchObject({ status: 204, text: '' })
    const deleted = (await alice.call('GET', target)).json
    expect(deleted).toMatchObject({ content: {}, deletedOn: expect.stringMatching(time) })
    expect(Number(deleted.version)).toBeGreaterThan(Number(edited.version))
    expect((await alice.call('PATCH', target, { content: 'again' })).status).toBe(404)
    expect((await alice.call('DELETE', target)).status).toBe(204)
  })

  it('merge metadata, where an empty value removes a key', async () => {
    const alice = await fixture.createPerson()
    const { id: thread } = await fixture.createThread(alice)
    const metadata = { tags: 'a', mode: 'b', key: 'c' }
    const { json } = await alice.call('POST', `/${thread}/messages`, { content: 'Hello', metadata })
    const target = `/${thread}/messages/${json.id}`
    await alice.call('PATCH', target, { metadata: { tags: '', mode: 'd' } })
    expect((await alice.call('GET', target)).json.metadata).toEqual({ mode: 'd', key: 'c' })
  })

  it('are listed in pages, with a link that clients follow unchanged', async () => {
    const alice = await fixture.createPerson()
    const { id } = await fixture.createThread(alice)
    for (const content of ['a', '', 'c']) await alice.call('POST', `/${id}/messages`, { content })
    const { host } = new URL(fixture.emulator.endpoint)
    const first = (await alice.call('GET', `/${id}/messages?maxPageSize=3`, undefined, { version: '2021-09-07' })).json
    const syncState = /syncState=([\da-f]+)&/.exec(first.nextLink)![1]
    expect(first.nextLink).toBe(
      `https://${host}/chat/threads/${id}/messages?syncState=${syncState}&startTime=1%2F1%2F1970%2012%3A00%3A00%20AM%20%2B00%3A00&maxPageSize=3&api-version=2021-09-07`,
    )
    // Messages that come in between do not move the next page.
    await alice.call('POST', `/${id}/messages`, { content: 'd' })
    const second = await exchange(fixture.emulator.endpoint, {
      target: first.nextLink.slice(`https://${host}`.length),
      headers: { authorization: `Bearer ${alice.token}` },
    })
    const sequence = (value: { sequenceId: string }[]) => value.map(({ sequenceId }) => sequenceId)
    expect(sequence(first.value)).toEqual(['5', '4', '3'])
    expect(first.value[1].content).toEqual({ message: '' })
    expect(sequence(second.json.value)).toEqual(['2', '1'])
    expect(second.json).not.toHaveProperty('nextLink')
  })

  it('are listed since a time', async () => {
    const alice = await fixture.createPerson()
    const { id } = await fixture.createThread(alice)
    fixture.emulator.clock.advance(60_000)
    const start = new Date(fixture.emulator.clock.now()).toISOString()
    await alice.call('POST', `/${id}/messages`, { content: 'late' })
    const since = `startTime=${encodeURIComponent(start)}`
    const { value, nextLink } = (await alice.call('GET', `/${id}/messages?${since}`)).json
    expect(value.map((message: { content: unknown }) => message.content)).toMatchObject([{ message: 'late' }])
    expect(nextLink).toBeUndefined()
    expect((await alice.call('GET', `?${since}`)).json.value).toMatchObject([
      { id, lastMessageReceivedOn: expect.stringMatching(time) },
    ])
    fixture.emulator.clock.advance(60_000)
    const later = encodeURIComponent(new Date(fixture.emulator.clock.now()).toISOString())
    expect((await alice.call('GET', `?startTime=${later}`)).json.value).toEqual([])
  })
})

describe('receipts and typing', () => {
  it('have empty responses, and one receipt per reader', async () => {
    const alice = await fixture.createPerson()
    const bob = await fixture.createPerson()
    const { id } = await fixture.createThread(alice, bob)
    const send = async () => (await alice.call('POST', `/${id}/messages`, { content: 'Hello' })).json.id as string
    const [first, second] = [await send(), await send()]
    const read = (chatMessageId: string) => bob.call('POST', `/${id}/readReceipts`, { chatMessageId })
    for (const response of [
      await read(first),
      await read(second),
      await read(first),
      await bob.call('POST', `/${id}/typing`),
    ]) {
      expect(response).toMatchObject({ status: 200, text: '', headers: { 'content-length': '0' } })
      expect(response.headers['content-type']).toBeUndefined()
    }
    expect((await alice.call('GET', `/${id}/readReceipts`)).json).toEqual({
      value: [
        {
          senderCommunicationIdentifier: toIdentifier(bob),
          chatMessageId: second,
          readOn: expect.stringMatching(time),
        },
      ],
    })
  })
})
