import { EmulatorProcess } from '@acs-kit/local-stack/emulator-process'
import { ChatUser } from '@acs-kit/test-support/chat-user'
import { TemporaryFolder } from '@acs-kit/test-support/temporary-folder'
import { sendMany } from '../../load.ts'
import { createMeasurement, type Measurement } from '../../measurement.ts'

const warmUpMessages = 20_000
const measuredMessages = 150_000
const content = 'x'.repeat(100)

/** Memory that the emulator keeps for each message. */
export async function benchmarkMessageMemory(): Promise<Measurement[]> {
  using keys = new TemporaryFolder()
  const preloads = [import.meta.resolve('../../collect-garbage.ts')]
  await using emulator = await EmulatorProcess.start({ keyFolder: keys.path, preloads })
  const sender = await ChatUser.create(emulator)
  const threadId = await sender.createThread('memory', [await ChatUser.create(emulator)])
  const send = (amount: number) =>
    sendMany(emulator.endpoint, sender.toRequest('POST', `/${threadId}/messages`, { content }), amount)
  await send(warmUpMessages)
  const before = await emulator.server.residentKilobytes()
  await send(measuredMessages)
  const after = await emulator.server.residentKilobytes()
  return [
    createMeasurement({
      name: 'resident memory for a message',
      value: ((after - before) * 1024) / measuredMessages,
      unit: 'bytes',
      reference: { name: 'its content', value: content.length },
      goal: { of: 'value', is: 'below', limit: 1024 },
    }),
  ]
}
