import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { ChatConnection } from '@acs-kit/test-support/chat-connection'
import { ChatUser } from '@acs-kit/test-support/chat-user'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { compare, measureInterleaved } from '../../interleaved.ts'
import { measureRate } from '../../load.ts'
import { createMeasurement, type Measurement } from '../../measurement.ts'
import { AzuriteInserts } from '../azurite-inserts.ts'

const seconds = 2
const content = 'A message as long as many are: shall we meet at noon, at the usual place, or a bit later in the day?'

/** Sending of messages, next to inserts into Azurite of rows with the same content: both keep it in memory, over HTTPS. */
export async function benchmarkMessagesSent(): Promise<Measurement[]> {
  using keys = new TemporaryFolder()
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path })
  await using inserts = await AzuriteInserts.start(emulator, keys.path, content)
  const sender = await ChatUser.create(emulator)
  const recipient = await ChatUser.create(emulator)
  const toMeasure = async (topic: string) => {
    const threadId = await sender.createThread(topic, [recipient])
    const request = sender.toRequest('POST', `/${threadId}/messages`, { content })
    return () => measureRate(emulator.endpoint, [request], seconds)
  }
  const send = await toMeasure('without connections')
  const insert = () => inserts.measureRate(seconds)
  await send()
  await insert()
  const sent = await compare({
    name: 'messages sent',
    unit: '/s',
    measure: send,
    reference: { name: 'rows inserted into Azurite', measure: insert },
    goal: { of: 'ratio', is: 'at least', limit: 1 },
  })
  // The process of the load also receives the events.
  using _ = await ChatConnection.open(recipient)
  const [rate] = await measureInterleaved(3, [await toMeasure('recipient connected')])
  return [
    sent,
    createMeasurement({
      name: 'messages sent to a connected recipient',
      value: rate!,
      unit: '/s',
      reference: { name: 'without connections', value: sent.value },
    }),
  ]
}
