import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { temporaryFolder } from '@acs-kit/test-support/test-folder'
import { describe, expect, it } from 'vitest'
import { startEmulator } from '../src/index.ts'
import { clientsFor, quick } from './arm-fixture.ts'
import { useChat } from './chat-fixture.ts'

const day = 24 * 60 * 60_000

describe('the data folder', () => {
  it('keeps chat across restarts', async () => {
    const dataFolder = temporaryFolder()
    const before = await startEmulator({ dataFolder })
    const [alice, bob] = [before.createIdentity(), before.createIdentity()]
    const { id: threadId } = before.chat.createThread({
      topic: 'Lunch',
      createdBy: alice,
      participants: [{ communicationUserId: bob, displayName: 'Bob', shareHistoryFrom: 1000, metadata: { a: 'b' } }],
      metadata: { c: 'd' },
      retentionDays: 30,
    })
    before.chat.sendMessage({ threadId, communicationUserId: bob, content: 'Größe', metadata: { e: 'f' } })
    before.chat.sendReadReceipt({ threadId, communicationUserId: alice })
    const threads = before.chat.threads()
    const messages = before.chat.messages(threadId)
    await before[Symbol.asyncDispose]()

    await using after = await startEmulator({ dataFolder })
    expect(after.chat.threads()).toEqual(threads)
    expect(after.chat.messages(threadId)).toEqual(messages)
    const { sequenceId, id } = after.chat.sendMessage({ threadId, communicationUserId: alice, content: 'Hello' })
    expect(sequenceId).toBe(4)
    expect(Number(id)).toBeGreaterThan(Number(messages.at(-1)!.id))
  })

  it('may be from before chat', async () => {
    const dataFolder = temporaryFolder()
    const { identity } = await (async () => {
      await using emulator = await startEmulator({ dataFolder })
      return { identity: emulator.createIdentity() }
    })()
    const database = new DatabaseSync(join(dataFolder, 'emulator.sqlite'))
    const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'chat_%'`).all()
    expect(tables.length).toBeGreaterThan(0)
    for (const { name } of tables) database.exec(`DROP TABLE ${name as string}`)
    database.close()

    await using emulator = await startEmulator({ dataFolder })
    expect(emulator.identities()).toMatchObject([{ communicationUserId: identity }])
    expect(emulator.chat.createThread({ topic: 'Lunch', createdBy: identity })).toMatchObject({ topic: 'Lunch' })
  })

  it('has every acknowledged message after kill -9', async () => {
    const dataFolder = temporaryFolder()
    const source = `
      import { startEmulator } from ${JSON.stringify(import.meta.resolve('../src/index.ts'))}
      const emulator = await startEmulator({ dataFolder: ${JSON.stringify(dataFolder)} })
      const communicationUserId = emulator.createIdentity()
      const { id: threadId } = emulator.chat.createThread({ topic: 'Lunch', createdBy: communicationUserId })
      for (let n = 0; ; n++) {
        const { id } = emulator.chat.sendMessage({ threadId, communicationUserId, content: 'Hello' })
        console.log(id)
        if (n % 10 === 0) await new Promise(setImmediate)
      }`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const acknowledged: string[] = []
    const lines = createInterface(child.stdout)
    lines.on('line', (line) => {
      acknowledged.push(line)
      if (acknowledged.length === 200) child.kill('SIGKILL')
    })
    await once(lines, 'close')
    await using emulator = await startEmulator({ dataFolder })
    const [thread] = emulator.chat.threads()
    const kept = new Set(emulator.chat.messages(thread!.id).map(({ id }) => id))
    expect(acknowledged.length).toBeGreaterThanOrEqual(200)
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([])
  })
})

describe('retention', () => {
  const fixture = useChat()

  it('deletes a thread by the clock, with an event without a user', async () => {
    const alice = await fixture.createPerson()
    const { chat, clock } = fixture.emulator
    const retentionPolicy = { kind: 'threadCreationDate', deleteThreadAfterDays: 30 }
    const created = await alice.call('POST', '', { topic: 'Lunch', retentionPolicy })
    await alice.call('POST', '', { topic: 'For ever' })
    const { id } = created.json.chatThread
    clock.advance(30 * day - 60_000)
    expect(chat.threads()).toHaveLength(2)
    const deleted = chat.waitForEvent({ name: 'chatThreadDeleted' })
    clock.advance(60_000)
    expect(await deleted).toMatchObject({ thread: { id }, recipients: [alice.id], by: undefined })
    expect(chat.threads()).toMatchObject([{ topic: 'For ever' }])
  })

  it('does not delete a deleted thread again', async () => {
    const alice = await fixture.createPerson()
    const { chat, clock } = fixture.emulator
    const { id } = chat.createThread({ topic: 'Lunch', createdBy: alice.id, retentionDays: 30 })
    await alice.call('DELETE', `/${id}`)
    const again = chat.waitForEvent({ name: 'chatThreadDeleted', timeoutMs: 0 })
    clock.advance(30 * day)
    expect(await again).toBeUndefined()
  })

  it('ends with a change of the policy', async () => {
    const alice = await fixture.createPerson()
    const { chat, clock } = fixture.emulator
    const { id } = chat.createThread({ topic: 'Lunch', createdBy: alice.id, retentionDays: 30 })
    await alice.call('PATCH', `/${id}`, { retentionPolicy: { kind: 'none' } })
    clock.advance(100 * day)
    expect(chat.threads()).toHaveLength(1)
  })

  it('applies to a thread whose time passed while the emulator was stopped', async () => {
    const dataFolder = temporaryFolder()
    const before = await startEmulator({ dataFolder })
    before.clock.advance(-31 * day)
    before.chat.createThread({ topic: 'Lunch', createdBy: before.createIdentity(), retentionDays: 30 })
    expect(before.chat.threads()).toHaveLength(1)
    await before[Symbol.asyncDispose]()
    await using after = await startEmulator({ dataFolder })
    expect(after.chat.threads()).toEqual([])
  })
})

it('is deleted with its resource, and does not reappear in a new one', async () => {
  await using emulator = await startEmulator()
  const clients = clientsFor(emulator)
  await clients.groups.resourceGroups.createOrUpdate('group', { location: 'westeurope' })
  const { communicationServices } = clients.communication
  const create = async () => {
    const service = { location: 'Global', dataLocation: 'Europe' }
    await communicationServices.beginCreateOrUpdateAndWait('group', 'calls', service, quick)
    return emulator.resources.at(-1)!.name
  }
  const resource = await create()
  const createThread = (createdBy: string) => emulator.chat.createThread({ topic: 'Lunch', createdBy })
  createThread(emulator.createIdentity({ resource }))
  const kept = createThread(emulator.createIdentity())
  await communicationServices.beginDeleteAndWait('group', 'calls', quick)
  await create()
  expect(emulator.chat.threads()).toEqual([kept])
})
